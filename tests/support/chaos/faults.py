"""The faults: what each of them does to a system, to which backend, and at which moments.

Before, during and after are about the first audio of an announcement: before any, within the first
sentence, and when the first sentence was heard whole.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import line_faults
from chaos import strikes
from chaos.engine import DISTORTIONS, Script
from chaos.system import BACKENDS, System
from fault_line import Act, Fault, Moment
from line_faults import edge_reply

Strike = Callable[[System, Moment, random.Random], Awaitable[None]]
ALL = (Moment.BEFORE, Moment.DURING, Moment.AFTER)
BEFORE = (Moment.BEFORE,)
GOAL_S, GOAL_OF_HANG_S = 2.0, 3.0
"""Longest silence after a single fault: one that is noticed, and one that has to be waited for."""
GOAL_OF_FIRST_SOUND_S = 1.5
"""Longest silence before the first sound where nothing fails, whatever else is spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """A kind of fault, for one backend, which is the admin's choice while it happens."""

    name: str
    backend: str
    strike: Strike = field(repr=False, compare=False)
    moments: tuple[Moment, ...] = ALL
    armed: bool = False
    """Whether it waits for its moment by itself, and is given it before the announcement."""
    goal_s: float | None = GOAL_S
    """Longest silence that is allowed; None for what is more than a single fault."""
    n_announcements: int = 1
    """Announcements in a row under the same fault."""
    needs_server: str = ""
    """``same token`` or ``new token``: whether another server stands ready to take over."""
    style: str = ""
    """How the text is given; empty leaves it to the seed."""

    @property
    def key(self) -> str:
        """Identifies the kind."""
        return f"{self.backend}: {self.name}"


def every_kind() -> tuple[FaultKind, ...]:
    """Return all kinds of faults."""
    return (*_none(), *_of_the_server(), *_of_the_tunnel(), *_of_engines(), *_of_the_admin())


def _none() -> Iterator[FaultKind]:
    for backend in BACKENDS:
        common = {"backend": backend, "moments": BEFORE, "goal_s": GOAL_OF_FIRST_SOUND_S}
        yield FaultKind(name="none", strike=strikes.nothing, **common)
        yield FaultKind(name="long reading", strike=strikes.long_reading, style="short", **common)
        yield FaultKind(name="six at once at 0.9 x", strike=strikes.six_at_once, **common)
        yield FaultKind(name="writer pauses", strike=strikes.nothing, style="slow writer", **common)
        yield FaultKind(
            name="unsayable sentence", strike=strikes.nothing, style="unsayable", **common
        )


def _of_the_server() -> Iterator[FaultKind]:
    spare = {"backend": "remote", "needs_server": "same token"}
    yield FaultKind(name="server killed", strike=strikes.kill_server, **spare)
    yield FaultKind(
        name="server killed, three in a row", strike=strikes.kill_server, n_announcements=3, **spare
    )
    yield FaultKind(name="server restarted", strike=strikes.restart_server, **spare)
    yield FaultKind(
        name="server and local worker killed",
        strike=strikes.kill_server_and_local_worker,
        goal_s=None,
        **spare,
    )
    yield FaultKind(
        name="runtime reset, new token",
        backend="remote",
        strike=strikes.restart_server,
        needs_server="new token",
        n_announcements=2,
    )
    yield FaultKind(name="token rotated", backend="remote", strike=strikes.rotate_token)
    yield FaultKind(
        name="server stopped (SIGSTOP)",
        backend="remote",
        strike=strikes.stop_server,
        goal_s=GOAL_OF_HANG_S,
        n_announcements=2,
    )


def _of_the_tunnel() -> Iterator[FaultKind]:
    hangs = {"half_open", "trickle"}
    acts: dict[str, Act] = {
        act.__name__: act
        for act in (
            line_faults.reset,
            line_faults.half_open,
            line_faults.close_dirty,
            line_faults.end_clean,
            line_faults.garbage,
            line_faults.broken_chunks,
            line_faults.web_page,
            line_faults.bit_flip,
            line_faults.gzip_bytes,
        )
    } | {"trickle": line_faults.trickle(0.05)}
    for name, act in acts.items():
        goal_s = GOAL_OF_HANG_S if name in hangs else GOAL_S
        yield _on_line(name, act, ALL, goal_s)
    for act in (line_faults.gzip_coded, line_faults.not_http, line_faults.endless_header):
        yield _on_line(act.__name__, act, BEFORE, GOAL_S)
    for page in EDGE_PAGES:
        yield FaultKind(
            name=f"all answers are {page}",
            backend="remote",
            strike=_answering(page),
            n_announcements=2,
        )
    common = {"backend": "remote", "n_announcements": 3}
    yield FaultKind(
        name="tunnel silent", strike=strikes.silence_tunnel, goal_s=GOAL_OF_HANG_S, **common
    )
    yield FaultKind(name="8 kB/s, 300 ms", strike=strikes.slow_line, **common)
    yield FaultKind(name="2 kB/s", strike=strikes.very_slow_line, goal_s=GOAL_OF_HANG_S, **common)


def _of_engines() -> Iterator[FaultKind]:
    for backend in BACKENDS:
        for word in TROUBLES:
            yield FaultKind(
                name=f"engine: {word}", backend=backend, strike=_scripted(word), armed=True
            )
        for word in DISTORTIONS:
            yield FaultKind(
                name=f"engine: {word}",
                backend=backend,
                strike=_scripted(word),
                armed=True,
                moments=(Moment.BEFORE, Moment.AFTER),
            )
        yield FaultKind(
            name="engine: devicememory, lasting",
            backend=backend,
            strike=_scripted("devicememory", lasting=True),
            armed=True,
            n_announcements=3,
        )
        yield FaultKind(
            name="engine: hangforever",
            backend=backend,
            strike=_scripted("hangforever"),
            armed=True,
            goal_s=GOAL_OF_HANG_S,
        )
        yield FaultKind(
            name="worker killed", backend=backend, strike=strikes.to_worker(signal.SIGKILL)
        )
        yield FaultKind(
            name="worker stopped (SIGSTOP)",
            backend=backend,
            strike=strikes.to_worker(signal.SIGSTOP),
            goal_s=GOAL_OF_HANG_S,
            n_announcements=2,
        )
        yield FaultKind(
            name="worker killed every 0.3 s",
            backend=backend,
            strike=strikes.kill_worker_again_and_again,
            goal_s=None,
        )
        yield FaultKind(
            name="engine at 0.7 x",
            backend=backend,
            strike=strikes.slow_engine,
            goal_s=GOAL_OF_HANG_S,
            n_announcements=3,
        )


def _of_the_admin() -> Iterator[FaultKind]:
    for backend in BACKENDS:
        for name, strike in (
            ("mode flips", strikes.flip_mode),
            ("backend replaced", strikes.replace_backend),
            ("backend unloaded", strikes.unload_backend),
        ):
            yield FaultKind(name=name, backend=backend, strike=strike)


EDGE_PAGES = (
    "cloudflare_1015_rate",
    "cloudflare_1033_gone",
    "cloudflare_429_in_flight",
    "cloudflare_502_server_down",
    "cloudflare_524_timeout",
    "gateway_503",
    "html_200",
    "ngrok_3004_incomplete",
    "ngrok_3200_offline",
    "ngrok_6024_browser",
    "ngrok_725_bandwidth",
    "ngrok_727_requests",
    "ngrok_734_rate",
    "ngrok_8012_upstream",
    "redirect",
    "server_401_token",
    "server_500_memory",
    "server_503_busy",
    "server_503_loading",
)
TROUBLES = (
    "segfault",
    "sigkill",
    "nativeexit",
    "memoryerror",
    "devicememory",
    "refuse",
    "oddbug",
    "framenoise",
    "printnoise",
)


def _on_line(name: str, act: Act, moments: tuple[Moment, ...], goal_s: float) -> FaultKind:
    async def strike(system: System, moment: Moment, _: random.Random) -> None:
        system.tunnel.faults.append(Fault(moment, act))

    return FaultKind(
        name=f"answer: {name}",
        backend="remote",
        strike=strike,
        moments=moments,
        armed=True,
        goal_s=goal_s,
    )


def _answering(page: str) -> Strike:
    async def strike(system: System, _: Moment, __: random.Random) -> None:
        system.tunnel.answer_all(edge_reply(page))

    return strike


def _scripted(word: str, *, lasting: bool = False) -> Strike:
    async def strike(system: System, moment: Moment, rng: random.Random) -> None:
        at = {Moment.BEFORE: 0.0, Moment.DURING: rng.uniform(0.2, 0.9)}.get(moment, rng.random())
        skip = int(moment is Moment.AFTER)
        system.direct(
            system.router.mode.value, Script(trouble=word, skip=skip, at=at, lasting=lasting)
        )

    return strike
