"""The cost of the relay's metrics: for each chunk of audio, and for each scrape.

Every chunk that the relay speaks passes the backend that measures, on the event loop; a scrape is
answered there too. Both sides are a router over a worker that answers at once, once as it is and
once measured, in turns, so that nothing but the measuring differs.
"""

from __future__ import annotations

import asyncio
import time
from statistics import median

from generator_layers import TEXT, count_chunks, cpu_per_chunk, instant_local
from prometheus_client import generate_latest
from report import Row, ms, times
from tone_engine import VOICES, create

from vieneu_colab_server.relay.metrics.measured_backend import MeasuredBackend
from vieneu_colab_server.relay.metrics.relay_metrics import RelayMetrics, relay_metrics
from vieneu_core.engines.base import Utterance
from vieneu_core.router import Router
from vieneu_core.synthesis import SynthesisRequest

N_SCRAPES, INTERVAL_S = 50, 15.0
"""Scrapes are this far apart by default in Prometheus' own examples."""


def measure() -> list[Row]:
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    engine = create({})
    info = engine.load(lambda _: None)
    utterance = Utterance(text=TEXT[0], voice=VOICES[0])
    pieces = list(engine.synthesize(utterance, lambda: False))
    router = Router(
        local=instant_local(info, pieces),
        remote=instant_local(info, pieces),
        last_resort=instant_local(info, pieces),
    )
    metrics = relay_metrics(router, queue_depth=lambda: 0)
    request = SynthesisRequest(text=TEXT)
    async with MeasuredBackend(router, metrics.speech) as measured:
        took_s = await cpu_per_chunk(
            {
                "router": lambda: count_chunks(router.stream(request)),
                "measured": lambda: count_chunks(measured.stream(request)),
            }
        )
        scrape_s = _scrape_s(metrics)
    more_s = took_s["measured"] - took_s["router"]
    return [
        Row(
            part="Metrics",
            what="a chunk of audio, measured",
            measured=f"{took_s['measured'] * 1e6:.1f} µs ({more_s * 1e6:.2f} µs more)",
            against=f"the router alone: {took_s['router'] * 1e6:.1f} µs",
            ratio=times(took_s["measured"], took_s["router"]),
        ),
        Row(
            part="Metrics",
            what="one scrape, with three backends",
            measured=ms(scrape_s),
            against=f"time between two scrapes: {INTERVAL_S:.0f} s",
            ratio=f"1/{INTERVAL_S / scrape_s:.0f}",
        ),
    ]


def _scrape_s(metrics: RelayMetrics) -> float:
    """Return median seconds of CPU of one scrape."""
    took_s = []
    for _ in range(N_SCRAPES):
        began_s = time.thread_time()
        generate_latest(metrics.registry)
        took_s.append(time.thread_time() - began_s)
    return median(took_s)
