"""The faults on the way to a server: its name, TLS, health checks, and clocks that were set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from chaos import way_strikes
from chaos.fault_kind import BEFORE, GOAL_OF_HANG_S, GOAL_S, GOAL_UNDISTURBED_S, FaultKind
from chaos.system import BACKENDS


def kinds() -> Iterator[FaultKind]:
    """Yield them."""
    yield from _of_its_name()
    yield from _of_tls()
    yield from _of_clocks()
    yield FaultKind(
        name="health checks unanswered",
        backend="remote",
        strike=way_strikes.leave_health_unanswered,
        moments=BEFORE,
        n_announcements=3,
        same_voice=True,
    )


def _of_its_name() -> Iterator[FaultKind]:
    for name, strike, goal_s in (
        ("name unknown (NXDOMAIN)", way_strikes.forget_name, GOAL_S),
        ("name servers fail after 1 s", way_strikes.fail_names_late, GOAL_S),
        ("name servers silent", way_strikes.silence_names, GOAL_OF_HANG_S),
        ("name servers take 1 s", way_strikes.slow_names, GOAL_S),
    ):
        yield FaultKind(
            name=name,
            backend="remote",
            strike=strike,
            goal_s=goal_s,
            n_announcements=2,
            by_name=True,
        )


def _of_tls() -> Iterator[FaultKind]:
    for name, strike, goal_s in (
        ("certificate expired", way_strikes.show_certificate("expired"), GOAL_S),
        ("certificate self-signed", way_strikes.show_certificate("self_signed"), GOAL_S),
        ("certificate of another name", way_strikes.show_certificate("of_another_name"), GOAL_S),
        ("TLS handshake refused", way_strikes.refuse_handshakes, GOAL_S),
        ("TLS handshake hangs", way_strikes.hang_handshakes, GOAL_OF_HANG_S),
        ("TLS alert", way_strikes.send_alert, GOAL_S),
    ):
        yield FaultKind(name=name, backend="remote", strike=strike, goal_s=goal_s, by_name=True)


def _of_clocks() -> Iterator[FaultKind]:
    for whose, strike, backends in (
        ("server", way_strikes.set_server_clock, ("remote",)),
        ("home", way_strikes.set_own_clock, BACKENDS),
    ):
        for words, offset in (("400 days on", 400), ("a day back", -1)):
            for backend in backends:
                yield FaultKind(
                    name=f"clock of {whose} set {words}",
                    backend=backend,
                    strike=strike(timedelta(days=offset)),
                    goal_s=GOAL_UNDISTURBED_S,
                    n_announcements=2,
                    same_voice=True,
                )
