"""Interface of a backend: `Backend`, and its health report."""

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
    """It speaks, but some of its recent calls failed."""
    DRAINING = "draining"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    EXPIRED = "expired"
    """The remote session has reached its end."""
    FAILED = "failed"
    """It cannot be loaded; ``last_error`` contains the reason."""

    @property
    def ready(self) -> bool:
        """True if a request would be accepted now."""
        return self in {BackendState.READY, BackendState.DEGRADED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Result of one health check."""

    state: BackendState
    engine: str | None = None
    model: str | None = None
    version: str | None = None
    """Version of the package that serves the backend."""
    queue_depth: int = 0
    """Requests waiting or running."""
    latency_ms: float | None = None
    """Round trip of this health check in milliseconds."""
    accelerator: str | None = None
    """Name of the device, for example ``Tesla T4``; None means the CPU."""
    gpu_memory_used_gb: float | None = None
    gpu_memory_total_gb: float | None = None
    uptime_s: float | None = None
    """Seconds since the backend was loaded (remote: since the session began)."""
    remaining_s: float | None = None
    """Seconds until the session ends; None if it has no end."""
    clones: bool = False
    """Whether it can clone a voice from reference audio."""
    missing_voice: str | None = None
    """Id of the default voice if the backend lacks it; another voice speaks instead."""
    loading: LoadProgress | None = None
    """Progress of loading the model, if it is known."""
    worker_restarts: int | None = None
    """Times that its worker process died and was started again; None where that is not known."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", one_of("state", self.state, BackendState))
        check_fields(self)

    @property
    def ready(self) -> bool:
        """True if a request would be accepted now."""
        return self.state.ready


@runtime_checkable
class Backend(Protocol):
    """Serves speech synthesis. The router is a backend too.

    Its methods run on one event loop and do not block it. ``async with`` loads the backend and
    closes it at the end, also after an exception.
    """

    @property
    def name(self) -> str:
        """Short name, as in `Speaker.backend`."""
        ...

    async def load(self) -> None:
        """Make the backend ready to speak. Without effect if it is loaded.

        Raises:
            BackendError: loading failed.
        """
        ...

    async def unload(self) -> None:
        """Stop speaking and release what `load` acquired; `load` works again afterwards."""
        ...

    def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request: yield its audio in chunks, in the order of its sentences.

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
            BackendError: the backend cannot be reached.
        """
        ...

    async def voices(self) -> tuple[Voice, ...]:
        """List the voices, the default one first.

        Raises:
            BackendError: the backend is not ready, or cannot be reached.
        """
        ...

    async def aclose(self) -> None:
        """Unload and release everything permanently. Without effect if it is closed."""
        ...

    async def __aenter__(self) -> Self:
        """Load the backend; if that fails or is cancelled, close it.

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
        """Close the backend."""
        await self.aclose()


async def synthesize(backend: Backend, request: SynthesisRequest | str) -> Speech:
    """Speak a request, or a text with the default voice, and return the complete speech.

    Raises:
        ConfigurationError: ``backend`` is not a backend.
        VieneuError: whatever `Backend.stream` raises.
    """
    expect("backend", backend, Backend, "a backend, such as a Router")
    if isinstance(request, str):
        request = SynthesisRequest(text=request)
    return await collect(backend.stream(request))
