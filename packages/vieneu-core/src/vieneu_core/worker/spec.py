"""Values that a worker is started with, and its states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from vieneu_core.arguments import check_fields, check_json, check_not_negative, refuse


class WorkerState(StrEnum):
    """State of a worker."""

    STOPPED = "stopped"
    LOADING = "loading"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"

    @property
    def starting(self) -> bool:
        """Whether it becomes ready or failed by itself."""
        return self in {WorkerState.LOADING, WorkerState.RESTARTING}


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Which engine a worker runs.

    Raises:
        ConfigurationError: the name is empty, or the options are not plain JSON values.
    """

    target: str
    """Name of an installed engine (``espeak``), or ``module:attribute`` of its factory."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Its options, plain JSON values."""

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.target.strip():
            raise refuse("target", self.target, "the name of an engine, such as 'espeak'")
        check_json("options", self.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """When a worker that died is started again. Seconds of the clock."""

    first_delay_s: float = 0.5
    max_delay_s: float = 30.0
    """Each death doubles the delay, up to this one."""
    healthy_after_s: float = 60.0
    """A worker that lived this long counts as healthy: the next delay is the first again."""
    max_failed_starts: int = 5
    """After so many deaths in a row while the model was loading, it is given up."""

    def __post_init__(self) -> None:
        check_not_negative(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTimes:
    """How long a worker may take, in seconds."""

    load_s: float = 600.0
    """To load the model; begins anew with each sign of progress, as a download may take long."""
    start_wait_s: float = 1.0
    """A request waits so long for a worker that is being started."""
    stall_s: float = 30.0
    """Between two chunks of a sentence; after that the engine hangs, and its process is ended."""
    cancel_s: float = 2.0
    """To stop a cancelled sentence; after that the process is ended."""
    stop_s: float = 2.0
    """To end when asked to; then it is killed."""

    def __post_init__(self) -> None:
        check_not_negative(self)
