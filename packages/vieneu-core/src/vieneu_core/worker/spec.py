"""Parameters and states of a worker."""

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
        """Whether it will become ready or failed without further action."""
        return self in {WorkerState.LOADING, WorkerState.RESTARTING}


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Engine of a worker.

    Raises:
        ConfigurationError: the name is empty, or the options are not plain JSON values.
    """

    target: str
    """Name of an installed engine (``espeak``), or ``module:attribute`` of its factory."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Options of the engine, plain JSON values."""

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.target.strip():
            raise refuse("target", self.target, "the name of an engine, such as 'espeak'")
        check_json("options", self.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """When a dead worker is restarted. In seconds of the clock."""

    first_delay_s: float = 0.5
    max_delay_s: float = 30.0
    """Longest delay; each death doubles it."""
    healthy_after_s: float = 60.0
    """A worker that lived this long counts as healthy: the delay starts again at the first one."""
    max_failed_starts: int = 5
    """Number of failed starts in a row after which the engine counts as failed.

    The first load is not repeated, unless its process was killed or the system lacked something to
    start it: it tells what is wrong."""
    again_after_s: float | None = None
    """Time after which an engine that had been loaded before, and failed, is started again."""

    def __post_init__(self) -> None:
        check_not_negative(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTimes:
    """Time limits of a worker, in seconds."""

    load_s: float = 600.0
    """For loading the model; restarted by each sign of progress, since downloads may take long."""
    start_wait_s: float = 1.0
    """For a request to wait for a worker that is being started; counts from the death of one."""
    stall_s: float = 30.0
    """Between two chunks of a sentence; then the engine counts as hung, and is killed."""
    cancel_s: float = 2.0
    """For stopping a cancelled sentence; then the process is killed."""
    stop_s: float = 2.0
    """For ending on request; then the process is killed."""

    def __post_init__(self) -> None:
        check_not_negative(self)
