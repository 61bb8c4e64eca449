"""A server that speaks tones, a proxy before it that can go wrong, and clients of both."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from fault_proxy import Act, Fault, FaultProxy, Moment
from stand_in_server import TOKEN, StandInServer

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.remote import RemoteBackend, RemoteTimeouts, RetryPolicy
from vieneu_core.backends.scripted import ScriptedBackend

PATIENT = RemoteTimeouts(connect_s=20, first_byte_s=20, between_chunks_s=20, behind_s=20)
"""Nothing that a busy machine does to a healthy stream shall look like a fault."""
AT_ONCE = RetryPolicy(first_wait_s=0.001)


@dataclass
class Site:
    """A stand-in server with a scripted voice, behind a proxy."""

    voice: ScriptedBackend
    server: StandInServer
    proxy: FaultProxy
    address: tuple[str, int]
    remotes: list[RemoteBackend] = field(default_factory=list)

    def go_wrong(
        self, act: Act, moment: Moment = Moment.BEFORE, *, times: int = 1, **more: Any
    ) -> None:
        self.proxy.faults.extend(Fault(moment, act, **more) for _ in range(times))

    def client(self, url: str = "", token: str = TOKEN, **options: Any) -> RemoteBackend:
        options = {
            "codec": "pcm",
            "timeouts": PATIENT,
            "retries": AT_ONCE,
            "rng": random.Random(1),
            **options,
        }
        remote = RemoteBackend(url or self.proxy.url, token, **options)
        self.remotes.append(remote)
        return remote

    async def loaded(self, **options: Any) -> RemoteBackend:
        remote = self.client(**options)
        await remote.load()
        return remote


def sentences_of(chunks: list[AudioChunk]) -> list[bytes]:
    """The samples of each whole sentence, in order of their end."""
    whole, current = [], bytearray()
    for chunk in chunks:
        current += chunk.pcm
        if chunk.final:
            whole.append(bytes(current))
            current.clear()
    return whole
