"""``GET /metrics`` over a real socket, as Prometheus reads it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from exposition import Exposed
from guard import GUARD_S
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from router_rig import lost
from server_site import Site, serving

from vieneu_colab_server import __version__
from vieneu_colab_server.relay.metrics.measured_backend import MeasuredBackend
from vieneu_colab_server.relay.metrics.relay_metrics import RelayMetrics, relay_metrics
from vieneu_colab_server.relay.metrics.routes import METRICS, metrics_routes
from vieneu_core.router import Mode, Router, RouterPolicy
from vieneu_core.synthesis import new_request_id
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.wire.routes import STREAM

pytestmark = pytest.mark.usefixtures("no_leaks")
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
TEXT = "Đây là câu 1 nhé. Đây là câu 2 nhé."


@dataclass
class MeasuredSite:
    """A server of a measured router."""

    site: Site
    metrics: RelayMetrics
    local: ScriptedBackend
    remote: ScriptedBackend

    async def speak(self, text: str = TEXT) -> int:
        body = {"text": text, "request_id": new_request_id()}
        async with self.site.post(STREAM, json=body) as response:
            await response.read()
            return response.status

    async def scrape(self) -> Exposed:
        async with self.site.get(METRICS) as response:
            assert response.status == 200
            return Exposed(await response.text())

    async def until(self, condition: Callable[[Exposed], object]) -> Exposed:
        """Scrape until it shows something."""
        async with asyncio.timeout(GUARD_S):
            while not condition(metrics := await self.scrape()):  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0.01)
        return metrics


@asynccontextmanager
async def measured_site(
    *, with_remote: bool = True, **settings: Any
) -> AsyncIterator[MeasuredSite]:
    local, remote = ScriptedBackend(name="local"), ScriptedBackend(name="remote")
    router = Router(
        local=local,
        remote=remote if with_remote else None,
        mode=Mode.REMOTE if with_remote else Mode.LOCAL,
        policy=RouterPolicy(retry_for_s=0.0),
    )
    depth: list[Site] = []
    given = {"health_checks_per_minute": 10**6, **settings}
    metrics = relay_metrics(router, queue_depth=lambda: depth[0].service.queue.depth)
    async with serving(MeasuredBackend(router, metrics.speech), **given) as site:
        depth.append(site)
        site.app.routes.extend(metrics_routes(metrics.registry).routes)
        yield MeasuredSite(site, metrics, local, remote)
    metrics.unsubscribe()


async def test_a_request_over_http_is_counted_and_exposed() -> None:
    async with measured_site() as relay:
        assert await relay.speak() == 200
        metrics = await relay.scrape()

        assert (
            metrics.value("vieneu_requests_total", outcome="ok", backend="remote", source="live")
            == 1
        )
        sentences = metrics.value(
            "vieneu_sentences_total", backend="remote", fallback="false", source="live"
        )
        assert sentences == 2
        first = metrics.value("vieneu_first_audio_seconds_count", backend="remote")
        assert first == 1
        assert metrics.value("vieneu_queue_depth") == 0
        build = dict(next(iter(metrics.all("vieneu_build_info"))))
        assert build["version"] == __version__
        assert "process_resident_memory_bytes" in metrics.families


async def test_the_queue_and_what_is_being_spoken_are_seen_while_it_is_spoken() -> None:
    async with measured_site(max_concurrent=1) as relay:
        held = asyncio.Event()
        relay.remote.script = [ScriptStep(hold=held)]
        speaking = [asyncio.ensure_future(relay.speak()) for _ in range(3)]
        metrics = await relay.until(lambda seen: seen.value("vieneu_queue_depth") == 3)
        assert metrics.value("vieneu_requests_in_progress", source="live") == 1
        held.set()
        assert await asyncio.gather(*speaking) == [200, 200, 200]
        assert (await relay.scrape()).value("vieneu_queue_depth") == 0


async def test_a_request_that_a_fallback_speaks_and_one_that_fails_are_counted_once_each() -> None:
    async with measured_site() as relay:
        relay.remote.script = [ScriptStep(error=lost())]
        assert await relay.speak() == 200
        relay.remote.always = relay.local.always = ScriptStep(error=lost())
        assert await relay.speak() >= 500
        metrics = await relay.scrape()

        assert metrics.counted("vieneu_requests_total") == {
            (("backend", "local"), ("outcome", "ok"), ("source", "live")): 1,
            (("backend", "none"), ("outcome", "all_backends_failed"), ("source", "live")): 1,
        }
        assert metrics.counted("vieneu_fallbacks_total") == {
            (("backend", "local"), ("source", "live")): 1
        }
        assert sum(metrics.all("vieneu_fallback_sentences_total").values()) == 2


async def test_a_router_without_a_remote_is_scraped_too() -> None:
    async with measured_site(with_remote=False) as relay:
        await relay.speak()
        metrics = await relay.scrape()

        assert (
            metrics.value("vieneu_requests_total", outcome="ok", backend="local", source="live")
            == 1
        )
        state = metrics.value("vieneu_backend_state", backend="remote", state="not_configured")
        assert state == 1


async def test_two_scrapes_at_once_while_speech_runs_are_both_whole() -> None:
    async with measured_site() as relay:
        done = await asyncio.gather(relay.scrape(), relay.speak(), relay.scrape(), relay.speak())

        assert (done[1], done[3]) == (200, 200)
        assert set(done[0].families) == set(done[2].families)
        final = await relay.scrape()
        assert (
            final.value("vieneu_requests_total", outcome="ok", backend="remote", source="live") == 2
        )


async def test_the_format_is_the_one_that_is_asked_for() -> None:
    async with measured_site() as relay:
        await relay.speak()
        async with relay.site.get(METRICS, headers={"Accept": OPENMETRICS}) as response:
            assert response.content_type == "application/openmetrics-text"
            text = await response.text()
            assert text.endswith("# EOF\n")
            families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
            assert "vieneu_requests" in {family.name for family in families}
        async with relay.site.get(METRICS) as response:
            assert response.content_type == "text/plain"
            assert response.headers["Cache-Control"] == "no-store"
            assert "# EOF" not in await response.text()


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}])
async def test_it_needs_the_token_as_every_other_path(header: dict[str, str]) -> None:
    async with measured_site() as relay:
        relay.site.session.headers.clear()
        async with relay.site.get(METRICS, headers=header) as response:
            assert response.status == 401
            assert "vieneu_" not in (await response.text()).replace("vieneu_relay", "")


async def test_a_client_that_leaves_is_a_cancelled_request() -> None:
    async with measured_site(replay_grace_s=0.001) as relay:
        relay.remote.always = ScriptStep(after_chunks=2, hold=asyncio.Event())
        body = {"text": TEXT, "request_id": "left"}
        async with relay.site.post(STREAM, json=body) as response:
            await response.content.readany()
        metrics = await relay.until(lambda seen: seen.counted("vieneu_requests_total"))
        assert metrics.counted("vieneu_requests_total") == {
            (("backend", "remote"), ("outcome", "cancelled"), ("source", "live")): 1
        }


def test_without_its_package_the_error_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['prometheus_client'] = None\n"
        "from vieneu_core.errors import MissingExtraError\n"
        "try:\n"
        "    import vieneu_colab_server.relay.metrics.relay_metrics\n"
        "except MissingExtraError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=GUARD_S
    )
    assert "vieneu-colab-server[metrics]" in done.stdout
