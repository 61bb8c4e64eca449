"""The status of a router as metrics: read at each scrape, without a request."""

from __future__ import annotations

from pathlib import Path

import pytest
from exposition import Exposed, exposed
from fake_clock import FakeClock
from prometheus_client import CollectorRegistry
from router_rig import RouterRig, lost

from vieneu_colab_server.relay.metrics.router_collector import RouterCollector
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.router import CircuitState, Mode, Router, RouterStatus, TunnelQuota
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


def scraped(router: Router, queue_depth: int | None = None) -> Exposed:
    depth = None if queue_depth is None else lambda: queue_depth
    registry = CollectorRegistry()
    registry.register(RouterCollector(router.status, queue_depth=depth))
    return exposed(registry)


def ones(metrics: Exposed, name: str) -> set[tuple[str, ...]]:
    """Values of the labels of those that are 1."""
    return {tuple(v for _, v in labels) for labels in metrics.counted(name)}


async def test_mode_active_backend_and_states_are_one_of_each() -> None:
    async with RouterRig(Mode.REMOTE) as rig:
        metrics = scraped(rig.router)

        assert ones(metrics, "vieneu_mode") == {("remote",)}
        assert ones(metrics, "vieneu_backend_active") == {("remote",)}
        assert metrics.value("vieneu_fallback_active") == 0
        ready = {(name, "ready") for name in ("local", "remote", "last_resort")}
        closed = {(name, "closed") for name in ("local", "remote", "last_resort")}
        assert ones(metrics, "vieneu_backend_state") == ready
        assert ones(metrics, "vieneu_circuit_state") == closed
        assert len(metrics.all("vieneu_backend_state")) == 3 * len(BackendState)
        assert len(metrics.all("vieneu_circuit_state")) == 3 * len(CircuitState)


async def test_a_scrape_asks_no_backend_anything() -> None:
    async with RouterRig() as rig:
        before = rig.remote.record.health_checks
        for _ in range(20):
            scraped(rig.router)
        assert rig.remote.record.health_checks == before
        assert rig.remote.record.requests == []


async def test_an_open_circuit_and_the_fallback_are_seen() -> None:
    async with RouterRig(Mode.REMOTE) as rig:
        rig.remote.always = ScriptStep(error=lost())
        rig.remote.reported = lost()
        for _ in range(3):
            await rig.speak()
        metrics = scraped(rig.router)

        assert ("remote", "open") in ones(metrics, "vieneu_circuit_state")
        assert ("remote", "unreachable") in ones(metrics, "vieneu_backend_state")
        assert ones(metrics, "vieneu_backend_active") == {("local",)}
        assert metrics.value("vieneu_fallback_active") == 1


async def test_a_router_without_a_remote_says_that_none_is_configured() -> None:
    router = Router(local=ScriptedBackend(name="local"))
    metrics = scraped(router)  # not loaded either

    assert ones(metrics, "vieneu_backend_state") == {
        ("local", "unloaded"),
        ("remote", "not_configured"),
    }
    for absent in (
        "vieneu_session_remaining_seconds",
        "vieneu_quota_used_ratio",
        "vieneu_gpu_memory_bytes",
        "vieneu_backend_latency_seconds",
        "vieneu_worker_restarts_total",
        "vieneu_queue_depth",
    ):
        assert metrics.all(absent) == {}
    await router.aclose()


async def test_facts_of_a_health_check_are_in_base_units() -> None:
    rig = RouterRig(Mode.REMOTE)
    rig.remote.reported = Health(
        state=BackendState.READY,
        queue_depth=3,
        latency_ms=120.0,
        gpu_memory_used_gb=4.0,
        gpu_memory_total_gb=16.0,
        remaining_s=7200.0,
    )
    rig.local.reported = Health(state=BackendState.READY, worker_restarts=2, gpu_memory_used_gb=1.0)
    async with rig:
        await rig.clock.advance(5.0)
        metrics = scraped(rig.router, queue_depth=7)

        assert metrics.value("vieneu_backend_queue_depth", backend="remote") == 3
        latency = metrics.value("vieneu_backend_latency_seconds", backend="remote")
        assert latency == pytest.approx(0.12)
        assert metrics.value("vieneu_gpu_memory_bytes", backend="remote", state="used") == 4e9
        assert metrics.value("vieneu_gpu_memory_bytes", backend="remote", state="free") == 12e9
        assert metrics.value("vieneu_gpu_memory_bytes", backend="local", state="free") is None
        assert metrics.value("vieneu_worker_restarts_total", backend="local") == 2
        assert metrics.value("vieneu_worker_restarts_total", backend="remote") is None
        assert metrics.value("vieneu_backend_last_contact_seconds", backend="remote") == 5.0
        assert metrics.value("vieneu_session_remaining_seconds") == pytest.approx(7195.0)
        assert metrics.value("vieneu_queue_depth") == 7


async def test_the_share_of_the_quota_is_that_of_what_ends_first(
    clock: FakeClock, tmp_path: Path
) -> None:
    quota = TunnelQuota(tmp_path / "quota.json", clock=clock, monthly_requests=100)
    local, remote = ScriptedBackend(name="local"), ScriptedBackend(name="remote")
    router = Router(local=local, remote=remote, quota=quota, clock=clock)
    quota.record(80, 1_000)

    assert scraped(router).value("vieneu_quota_used_ratio") == 0.8
    await router.aclose()


async def test_what_is_described_is_what_is_collected() -> None:
    async with RouterRig() as rig:
        collector = RouterCollector(rig.router.status, queue_depth=lambda: 0)
        described = {(m.name, m.type, m.documentation) for m in collector.describe()}
        assert {(m.name, m.type, m.documentation) for m in collector.collect()} == described
        assert not any(metric.samples for metric in collector.describe())


def test_registering_it_reads_no_status() -> None:
    def status() -> RouterStatus:
        raise AssertionError("the router may not be loaded yet")

    registry = CollectorRegistry(auto_describe=True)
    registry.register(RouterCollector(status))
