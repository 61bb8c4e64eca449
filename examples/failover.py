"""A backend fails in the middle of a text; the router continues on another one.

A `ScriptedBackend`, the test double that vieneu_core ships, is the server whose tunnel closes.

    python examples/failover.py
"""

import asyncio

from vieneu_core import FailedOver, LocalBackend, Router, RouterEvent, SynthesisRequest, collect
from vieneu_core.errors import TunnelOfflineError
from vieneu_core.testing import ScriptedBackend, ScriptStep

SENTENCES = ("Câu một.", "Câu hai.", "Câu ba.")


def on_event(event: RouterEvent) -> None:
    if isinstance(event, FailedOver):
        cause = event.cause.code if event.cause else "no error"
        print(f"Failover: {event.from_backend} → {event.to_backend} ({cause})")


async def main() -> None:
    tunnel_closes = ScriptStep(error=TunnelOfflineError("The tunnel is closed."))
    remote = ScriptedBackend([ScriptStep(), tunnel_closes], name="remote")
    async with Router(local=LocalBackend("espeak"), remote=remote, mode="remote") as router:
        router.subscribe(on_event)
        speech = await collect(router.stream(SynthesisRequest(text=SENTENCES)))
    for sentence, speaker in zip(SENTENCES, speech.speakers, strict=True):
        print(f"{sentence} spoken by {speaker.backend}, fallback: {speaker.fallback}")


if __name__ == "__main__":
    asyncio.run(main())
