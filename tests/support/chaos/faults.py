"""All faults: here those of server, tunnel, engines and admin, in `way_faults` the others."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from dataclasses import replace

import line_faults
from chaos import strikes, way_faults
from chaos.engine import DISTORTIONS, Script
from chaos.fault_kind import (
    ALL,
    BEFORE,
    GOAL_AFTER_END_MARK_S,
    GOAL_OF_HANG_S,
    GOAL_OF_HUNG_S,
    GOAL_OF_RESTART_S,
    GOAL_S,
    GOAL_UNDISTURBED_S,
    NEW_TOKEN,
    SAME_TOKEN,
    FaultKind,
    Strike,
)
from chaos.system import BACKENDS, System
from fault_line import Act, Fault, Moment
from line_faults import edge_reply


def every_kind() -> tuple[FaultKind, ...]:
    """Return all kinds of faults."""
    return (
        *_none(),
        *_of_the_server(),
        *_of_the_tunnel(),
        *way_faults.kinds(),
        *_of_engines(),
        *_of_the_admin(),
        *_of_a_plain_client(),
    )


def _none() -> Iterator[FaultKind]:
    for backend in BACKENDS:
        for name, strike, style, goal_s in (
            ("none", strikes.nothing, "", GOAL_UNDISTURBED_S),
            ("none, long reading", strikes.long_reading, "short", GOAL_UNDISTURBED_S),
            ("none, six at once at 0.9 x", strikes.six_at_once, "", GOAL_S),
            ("none, writer pauses", strikes.nothing, "slow writer", GOAL_AFTER_END_MARK_S),
            ("unsayable sentence", strikes.nothing, "unsayable", GOAL_S),
        ):
            yield FaultKind(
                name=name,
                backend=backend,
                strike=strike,
                moments=BEFORE,
                style=style,
                goal_s=goal_s,
            )


def _of_the_server() -> Iterator[FaultKind]:
    for name, strike, spare, goal_s, n_announcements in (
        ("server killed", strikes.kill_server, SAME_TOKEN, GOAL_S, 1),
        ("server killed, three in a row", strikes.kill_server, SAME_TOKEN, GOAL_S, 3),
        ("server restarted", strikes.restart_server, SAME_TOKEN, GOAL_S, 1),
        ("server and local worker killed", strikes.kill_both, SAME_TOKEN, None, 1),
        ("runtime reset, new token", strikes.restart_server, NEW_TOKEN, GOAL_S, 2),
        ("token rotated", strikes.rotate_token, "", GOAL_S, 1),
        ("server stopped (SIGSTOP)", strikes.stop_server, "", GOAL_OF_HANG_S, 2),
        ("1 100 silent connections", strikes.silent_connections, "", GOAL_S, 1),
    ):
        yield FaultKind(
            name=name,
            backend="remote",
            strike=strike,
            goal_s=goal_s,
            n_announcements=n_announcements,
            needs_server=spare,
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
            line_faults.held_to_its_end,
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
    for name, strike, goal_s in (
        ("tunnel silent", strikes.silence_tunnel, GOAL_OF_HANG_S),
        ("tunnel closed", strikes.close_tunnel, GOAL_S),
        ("8 kB/s, 300 ms", strikes.slow_line, GOAL_S),
        ("2 kB/s", strikes.very_slow_line, GOAL_OF_HANG_S),
    ):
        yield FaultKind(
            name=name, backend="remote", strike=strike, goal_s=goal_s, n_announcements=3
        )


def _of_engines() -> Iterator[FaultKind]:
    for backend in BACKENDS:
        for word in TROUBLES:
            yield _in_engine(backend, word)
        for word in DISTORTIONS:
            yield _in_engine(backend, word, moments=(Moment.BEFORE, Moment.AFTER))
        yield _in_engine(backend, "hangforever", goal_s=GOAL_OF_HANG_S)
        yield _in_engine(backend, "devicememory", lasting=True)
        for name, strike, goal_s, n_announcements in (
            ("worker killed", strikes.to_worker(signal.SIGKILL), GOAL_S, 1),
            ("worker killed every 0.3 s", strikes.kill_worker_again_and_again, None, 1),
            ("worker stopped (SIGSTOP)", strikes.to_worker(signal.SIGSTOP), GOAL_OF_HANG_S, 2),
            ("engine at 0.7 x", strikes.slow_engine(0.7), GOAL_OF_HANG_S, 3),
            ("engine at 0.3 x", strikes.slow_engine(0.3), GOAL_OF_HANG_S, 3),
        ):
            yield FaultKind(
                name=name,
                backend=backend,
                strike=strike,
                goal_s=goal_s,
                n_announcements=n_announcements,
            )


def _of_the_admin() -> Iterator[FaultKind]:
    for backend in BACKENDS:
        for name, strike in (
            ("mode flips", strikes.flip_mode),
            ("backend replaced", strikes.replace_backend),
            ("backend unloaded", strikes.unload_backend),
        ):
            yield FaultKind(name=name, backend=backend, strike=strike)


def _of_a_plain_client() -> Iterator[FaultKind]:
    """Yield those of an engine without any other that could go on in its place."""
    of_engine = (
        *(_in_engine("remote", word, goal_s=GOAL_OF_RESTART_S) for word in TROUBLES),
        _in_engine("remote", "hangforever", goal_s=GOAL_OF_HUNG_S),
        *(
            FaultKind(name=name, backend="remote", strike=strikes.to_worker(number), goal_s=goal_s)
            for name, number, goal_s in (
                ("worker killed", signal.SIGKILL, GOAL_OF_RESTART_S),
                ("worker stopped (SIGSTOP)", signal.SIGSTOP, GOAL_OF_HUNG_S),
            )
        ),
        FaultKind(
            name="engine at 0.7 x",
            backend="remote",
            strike=strikes.slow_engine(0.7),
            goal_s=GOAL_OF_HUNG_S,
            n_announcements=2,
        ),
    )
    for kind in of_engine:
        yield replace(kind, plain_client=True, style="text")


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


def _in_engine(
    backend: str,
    word: str,
    *,
    lasting: bool = False,
    moments: tuple[Moment, ...] = ALL,
    goal_s: float = GOAL_S,
) -> FaultKind:
    async def strike(system: System, moment: Moment, rng: random.Random) -> None:
        at = {Moment.BEFORE: 0.0, Moment.DURING: rng.uniform(0.2, 0.9)}.get(moment, rng.random())
        skip = int(moment is Moment.AFTER)
        system.direct(backend, Script(trouble=word, skip=skip, at=at, lasting=lasting))

    return FaultKind(
        name=f"engine: {word}{', lasting' * lasting}",
        backend=backend,
        strike=strike,
        moments=moments,
        armed=True,
        goal_s=goal_s,
        n_announcements=3 if lasting else 1,
    )
