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
    remote = ScriptedBackend([ScriptStep()], name="remote")  # its first request succeeds
    remote.always = ScriptStep(error=TunnelOfflineError("The tunnel is closed."))
    local = LocalBackend("espeak")
    await local.load()  # the router alone would start as soon as the remote is ready
    async with Router(local=local, remote=remote, mode="remote") as router:
        router.subscribe(on_event)
        speech = await collect(router.stream(SynthesisRequest(text=SENTENCES)))
    for sentence, speaker in zip(SENTENCES, speech.speakers, strict=True):
        print(f"{sentence} spoken by {speaker.backend}, fallback: {speaker.fallback}")


if __name__ == "__main__":
    asyncio.run(main())
