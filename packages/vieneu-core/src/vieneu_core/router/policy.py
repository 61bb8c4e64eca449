"""Policy of the router: its parameters, and the order of the backends for a request."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from vieneu_core.arguments import check_not_negative, expect, items_of, one_of, refuse
from vieneu_core.audio.pauses import NO_PAUSES, Pauses
from vieneu_core.router.breaker import BreakerPolicy
from vieneu_core.router.session_countdown import SessionPolicy

LAST_RESORT = "last_resort"
"""Name of the embedded voice, which is always available."""


_TURN_SHARE = 2 / 3
"""Part of ``replaceable_stall_s`` that a listener may wait for a turn."""


class Mode(StrEnum):
    """The admin's choice of the backend for requests, independent of its health."""

    LOCAL = "local"
    REMOTE = "remote"


class SlowEngine(StrEnum):
    """What the router does with a local engine that makes speech more slowly than it is played."""

    BUFFER = "buffer"
    """Each sentence is made whole before it is heard; a fallback speaks one that would be late."""
    FALLBACK = "fallback"
    """A fallback speaks until the engine is fast enough again."""


BACKENDS = (Mode.LOCAL.value, Mode.REMOTE.value, LAST_RESORT)
"""Names of all backends that a router can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterPolicy:
    """Parameters of the router.

    Raises:
        ConfigurationError: a field has the wrong type, is negative, or names no backend.
    """

    fallback_enabled: bool = True
    fallback: tuple[str, ...] = ("local", LAST_RESORT)
    """Fallbacks in order. With ``remote`` among them, text may leave the home in local mode too."""
    fallback_voice: str | None = None
    """Voice of a fallback that has it, if the request names none."""
    prefetched_sentences: int = 2
    """Number of sentences synthesized ahead while one is played."""
    stall_s: float = 20.0
    """Longest wait for a backend's next audio in seconds, where no other backend can speak."""
    replaceable_stall_s: float = 1.8
    """Longest wait in seconds beyond audio that is still being heard, where another one can.

    For the first audio it grows with what the backend usually takes.
    """
    first_audio_s: float = 2.7
    """As ``replaceable_stall_s``, for the first audio of a backend that has not spoken yet."""
    latest_start_s: float = 3.0
    """Another backend speaks where a sentence would begin later than this, in seconds."""
    sentences_until_return: int = 2
    """Sentences that a fallback speaks before a backend that failed is asked again."""
    slow_engine: SlowEngine = SlowEngine.BUFFER
    """What is done while the local engine is slower than playback."""
    retry_for_s: float = 10.0
    """Seconds for which a sentence that no backend could speak is retried before it fails."""
    health_check_interval_s: float = 30.0
    """Seconds between health checks of a backend in use."""
    in_use_s: float = 300.0
    """Seconds without a request after which a backend is idle."""
    idle_interval_s: float = 600.0
    """Longest time in seconds between checks of an idle remote backend; it doubles up to this."""
    long_idle_after_s: float = 6 * 3600.0
    long_idle_interval_s: float = 900.0
    """Seconds between checks after long idleness: 2 880 a month, within a free tunnel's quota."""
    suspect_interval_s: float = 2.0
    """Seconds until the next check of a backend that has just failed."""
    tolerated_failed_checks: int = 1
    """Number of checks in a row that may time out before the backend counts as lost."""
    load_wait_s: float = 10.0
    """Seconds for which `Router.load` waits for the admin's choice while another one can speak."""
    health_check_timeout_s: float = 10.0
    probe_text: str = "Xin chào."
    pauses: Pauses = NO_PAUSES
    """Silence between two sentences; what the speech itself has of it counts."""
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    session: SessionPolicy = field(default_factory=SessionPolicy)

    @property
    def latest_turn_s(self) -> float:
        """Another backend speaks where a listener would hear nothing for longer until its turn.

        In seconds. The rest of that wait is left for the other one's first audio.
        """
        return _TURN_SHARE * self.replaceable_stall_s

    def __post_init__(self) -> None:
        check_not_negative(self)
        expect("breaker", self.breaker, BreakerPolicy, "a BreakerPolicy")
        expect("pauses", self.pauses, Pauses, "Pauses, such as NATURAL_PAUSES")
        expect("session", self.session, SessionPolicy, "a SessionPolicy")
        object.__setattr__(self, "slow_engine", one_of("slow_engine", self.slow_engine, SlowEngine))
        names = tuple(items_of("fallback", self.fallback, str, "the name of a backend"))
        for name in names:
            if name not in BACKENDS:
                raise refuse("A name in fallback", name, f"one of {', '.join(BACKENDS)}")
        object.__setattr__(self, "fallback", names)


def candidates(mode: Mode, fallbacks: Collection[str], present: Collection[str]) -> tuple[str, ...]:
    """Return the names of the backends of a request: the admin's choice, then the fallbacks.

    The choice comes first even if it is not present, so that its absence is reported.
    """
    others = (name for name in fallbacks if name != mode.value and name in present)
    return (mode.value, *others)
