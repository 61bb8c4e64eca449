"""One replica: an engine in its worker process, as a deployment of Ray Serve."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from vieneu_colab_server.cli import SECRET_VARIABLES
from vieneu_colab_server.problems import problem_of
from vieneu_colab_server.replicas.arguments import RayAppArguments
from vieneu_colab_server.replicas.serve_log import log_with_serve
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends import BackendState, Health, LocalBackend
from vieneu_core.errors import BackendNotLoadedError, VieneuError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.voices import Voice, VoiceCatalogue
from vieneu_core.wire.problem import parse_problem
from vieneu_core.worker.spec import EngineSpec

BACKEND_NAME = "local"
"""Name of the backend in what it speaks: that of any server with one engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a replica says of its engine."""

    health: Health
    voices: tuple[Voice, ...]


class EngineReplica:
    """Speaks requests of ingresses. Its methods are called by Ray Serve, on one event loop.

    It has its engine loaded before Serve sends it a request. A worker that dies is restarted, and
    the sentence in which it died is spoken again, as by any server.
    """

    async def __init__(  # type: ignore[misc]  # Serve awaits it
        self, arguments: RayAppArguments
    ) -> None:
        log_with_serve()
        for secret in SECRET_VARIABLES:  # an ingress on this node needs them, an engine does not
            os.environ.pop(secret, None)
        folder = arguments.voices_dir
        self._backend = LocalBackend(
            EngineSpec(arguments.engine, arguments.engine_options),
            name=BACKEND_NAME,
            recovers=True,
            voices=None if folder is None else VoiceCatalogue(folder),
        )
        await self._backend.load()

    async def speak(
        self, request: SynthesisRequest
    ) -> AsyncGenerator[AudioChunk | dict[str, Any], None]:
        """Speak a request; a failure is the last item, as the members of a problem document.

        As an exception it would come to the caller as text alone, and Ray would log it as a bug.
        """
        try:
            async with aclosing(self._backend.stream(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except VieneuError as error:
            yield problem_of(error).model_dump(mode="json")

    async def describe(self) -> Description:
        """Describe the engine."""
        return Description(health=await self._backend.health(), voices=await self._backend.voices())

    async def check_health(self) -> None:
        """Tell Serve whether this replica is of use; where it is not, another one is started.

        Raises:
            BackendNotLoadedError: its worker died too often, and is not restarted any more.
        """
        if (await self._backend.health()).state is BackendState.FAILED:
            raise BackendNotLoadedError("The engine's process cannot be started any more.")


async def chunks_of(
    items: AsyncIterable[AudioChunk | dict[str, Any]],
) -> AsyncGenerator[AudioChunk, None]:
    """Yield the chunks among what `EngineReplica.speak` yields.

    Raises:
        VieneuError: the failure that it ends with, if any.
    """
    async for item in items:
        if isinstance(item, dict):
            raise parse_problem(item, backend=BACKEND_NAME)
        yield item
