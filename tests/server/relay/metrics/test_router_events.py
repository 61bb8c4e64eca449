"""Events of the router, counted."""

from __future__ import annotations

import pytest
from exposition import exposed
from fake_clock import settle
from prometheus_client import CollectorRegistry
from router_rig import RouterRig, lost

from vieneu_colab_server.relay.metrics.router_events import RouterEventCounters
from vieneu_core.router import (
    BackendRecovered,
    BackendSwitched,
    CircuitOpened,
    ErrorReport,
    FailedBack,
    FailedOver,
    LocalLost,
    Mode,
    QuotaWarning,
    RemoteLost,
    RouterEvent,
    SessionExpired,
    SpokenByFallback,
)
from vieneu_core.testing.scripted import ScriptStep

CAUSE = ErrorReport.of(lost())


@pytest.mark.parametrize(
    ("event", "name", "labels"),
    [
        (
            FailedOver(from_backend="remote", to_backend="local", cause=CAUSE),
            "vieneu_failovers_total",
            {"from_backend": "remote", "to_backend": "local"},
        ),
        (
            FailedBack(from_backend="local", to_backend="remote"),
            "vieneu_failbacks_total",
            {"to_backend": "remote"},
        ),
        (
            SpokenByFallback(request_id="a1", sentence=4, backend="last_resort", cause=CAUSE),
            "vieneu_fallback_sentences_total",
            {"backend": "last_resort", "cause": "connection"},
        ),
        (
            SpokenByFallback(request_id="a1", sentence=4, backend="last_resort", cause=None),
            "vieneu_fallback_sentences_total",
            {"backend": "last_resort", "cause": "none"},
        ),
        (
            CircuitOpened(backend="remote", cause=CAUSE),
            "vieneu_circuit_opened_total",
            {"backend": "remote"},
        ),
        (
            BackendRecovered(backend="remote"),
            "vieneu_backend_recoveries_total",
            {"backend": "remote"},
        ),
        (LocalLost(cause=CAUSE), "vieneu_local_lost_total", {}),
        (RemoteLost(cause=CAUSE), "vieneu_remote_lost_total", {}),
        (SessionExpired(), "vieneu_sessions_expired_total", {}),
        (QuotaWarning(used=0.7), "vieneu_quota_warnings_total", {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, RouterEvent) else None,
)
def test_an_event_is_counted_once_under_its_own_name(
    event: RouterEvent, name: str, labels: dict[str, str]
) -> None:
    registry = CollectorRegistry()
    counters = RouterEventCounters(registry)
    counters.count(event)
    counters.count(BackendSwitched(mode=Mode.LOCAL))  # no metric: the status shows it

    counted = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for sample in exposed(registry)
        if sample.value and not sample.name.endswith("_created")
    }
    assert counted == {(name, tuple(sorted(labels.items()))): 1}


async def test_an_outage_of_the_remote_is_counted_from_its_loss_to_its_return() -> None:
    registry = CollectorRegistry()
    rig = RouterRig(Mode.REMOTE)
    rig.router.subscribe(RouterEventCounters(registry).count)
    async with rig:
        rig.remote.always, rig.remote.reported = ScriptStep(error=lost()), lost()
        for _ in range(3):
            await rig.speak()
        rig.remote.always, rig.remote.reported = ScriptStep(), None
        await rig.clock.advance(120)
        await settle()

    metrics = exposed(registry)
    assert sum(metrics.all("vieneu_failovers_total").values()) == 1
    assert sum(metrics.all("vieneu_circuit_opened_total").values()) == 1
    assert metrics.value("vieneu_remote_lost_total") == 1
    assert metrics.value("vieneu_failbacks_total", to_backend="remote") == 1
    assert metrics.value("vieneu_backend_recoveries_total", backend="remote") == 1
    sentences = metrics.value(
        "vieneu_fallback_sentences_total", backend="local", cause="connection"
    )
    assert sentences is not None
    assert sentences > 0


def test_rare_events_are_exposed_before_the_first_of_them() -> None:
    registry = CollectorRegistry()
    RouterEventCounters(registry)

    metrics = exposed(registry)
    assert metrics.value("vieneu_remote_lost_total") == 0
    assert metrics.value("vieneu_circuit_opened_total", backend="remote") == 0
    labels = {"from_backend": "remote", "to_backend": "last_resort"}
    assert metrics.value("vieneu_failovers_total", **labels) == 0
