"""Replicas of the tone engine in this process: what an ingress calls, without a cluster."""

from __future__ import annotations

import pickle
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Self

from vieneu_colab_server.replicas.arguments import RayAppArguments
from vieneu_colab_server.replicas.engine_replica import Description, EngineReplica, chunks_of
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import BackendError
from vieneu_core.synthesis import SynthesisRequest


@dataclass
class ReplicasHere:
    """One `EngineReplica`; what goes to it and comes from it is pickled, as Ray does."""

    options: Mapping[str, Any] = field(default_factory=dict)
    fails: Callable[[int, int], BackendError | None] = lambda _call, _n_chunks: None
    """Tells the failure of a call, the first is 0, after so many chunks."""
    asked: list[SynthesisRequest] = field(default_factory=list)
    running: int = 1

    async def __aenter__(self) -> Self:
        arguments = RayAppArguments(engine="tone_engine:create", engine_options=dict(self.options))
        self.replica = object.__new__(EngineReplica)
        await self.replica.__init__(arguments)  # type: ignore[misc]  # a coroutine, as Serve awaits
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.replica._backend.aclose()

    async def describe(self) -> Description:
        described: Description = sent(await self.replica.describe())
        return described

    async def speak(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        call, n_chunks = len(self.asked), 0
        self.asked.append(request)
        async with aclosing(self.replica.speak(sent(request))) as items:
            async for chunk in chunks_of(sent_items(items)):
                if error := self.fails(call, n_chunks):
                    raise error
                yield chunk
                n_chunks += 1

    async def n_running(self) -> int:
        return self.running


def sent(value: Any) -> Any:
    """Return a value as another process receives it."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own


async def sent_items(items: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    async for item in items:
        yield sent(item)
