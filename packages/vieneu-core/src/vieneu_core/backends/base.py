"""The interface of everything that speaks: `Backend`, and how it reports its health."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from vieneu_core.arguments import check_fields, expect, one_of
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.engines.base import LoadProgress
from vieneu_core.synthesis import Speech, SynthesisRequest, collect
from vieneu_core.voices import Voice


class BackendState(StrEnum):
    """State of a backend."""

    NOT_CONFIGURED = "not_configured"
    UNLOADED = "unloaded"
    LOADING = "loading"
    READY = "ready"
    DEGRADED = "degraded"
    """It speaks, but its last calls partly failed."""
    DRAINING = "draining"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    EXPIRED = "expired"
    """The remote session has reached its end."""
    FAILED = "failed"
    """It cannot be loaded; ``last_error`` says why."""

    @property
    def ready(self) -> bool:
        """True where a request would be accepted now."""
        return self in {BackendState.READY, BackendState.DEGRADED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Result of one health check."""

    state: BackendState
    engine: str | None = None
    model: str | None = None
    version: str | None = None
    """Version of the package that serves it."""
    queue_depth: int = 0
    """Requests waiting or running."""
    latency_ms: float | None = None
    """Round trip of this health check, in milliseconds."""
    accelerator: str | None = None
    """Name of the device, for example ``Tesla T4``; None is the CPU."""
    gpu_memory_used_gb: float | None = None
    gpu_memory_total_gb: float | None = None
    uptime_s: float | None = None
    """Seconds since the backend was loaded (remote: since the session began)."""
    remaining_s: float | None = None
    """Seconds until the session ends; None where it has no end."""
    clones: bool = False
    """Whether it speaks with reference audio."""
    missing_voice: str | None = None
    """Id of its default voice where it has no such voice: another one speaks instead."""
    loading: LoadProgress | None = None
    """How far the loading of its model has come, where that is known."""
    worker_restarts: int | None = None
    """Times that its worker process died and was started again; None where that is not known."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", one_of("state", self.state, BackendState))
        check_fields(self)

    @property
    def ready(self) -> bool:
        """True where a request would be accepted now."""
        return self.state.ready


@runtime_checkable
class Backend(Protocol):
    """Serves synthesis. The router is one too.

    All of it runs on one event loop, and none of it blocks that loop. ``async with`` loads it, and
    closes it at the end, come what may.
    """

    @property
    def name(self) -> str:
        """Short name, as in `Speaker.backend`."""
        ...

    async def load(self) -> None:
        """Make ready to speak. Loading twice changes nothing.

        Raises:
            BackendError: it cannot be made ready.
        """
        ...

    async def unload(self) -> None:
        """Stop speaking and give back what `load` took; `load` works again afterwards."""
        ...

    def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request, chunk by chunk, sentence by sentence, in order.

        Every sentence ends with one chunk whose ``final`` is true. The stream ends without an
        error only after the last of them. Closing the generator stops the synthesis.

        Raises (while iterated):
            RequestError: the request itself cannot be served.
            BackendError: this backend failed; ``backend`` names it.
        """
        ...

    async def health(self) -> Health:
        """Check the backend.

        Raises:
            BackendError: it cannot be reached.
        """
        ...

    async def voices(self) -> tuple[Voice, ...]:
        """List the voices, the default one first.

        Raises:
            BackendError: it is not ready, or cannot be reached.
        """
        ...

    async def aclose(self) -> None:
        """Unload, and release everything for good. Closing twice changes nothing."""
        ...

    async def __aenter__(self) -> Self:
        """Load it; where that fails or is cancelled, close it.

        Raises what `load` raises.
        """
        try:
            await self.load()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.aclose()


async def synthesize(backend: Backend, request: SynthesisRequest | str) -> Speech:
    """Speak a whole request, or a text with the default voice, and return it complete.

    Raises:
        ConfigurationError: ``backend`` is not a backend.
        VieneuError: whatever `Backend.stream` raises.
    """
    expect("backend", backend, Backend, "a backend, such as a Router")
    if isinstance(request, str):
        request = SynthesisRequest(text=request)
    return await collect(backend.stream(request))
