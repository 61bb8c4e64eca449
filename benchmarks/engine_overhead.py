"""A sentence through the router and a worker process, compared with the engine in this process.

The worker isolates Home Assistant's process from native crashes and from seconds of CPU. Its cost
is a pipe for text and samples, the checks of the audio, and the router. Three cases: the embedded
voice, which is so fast that nearly all is overhead; the same with seven sentences in one request;
and an engine at five times the speed of speech, like a neural one, for a realistic ratio.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from statistics import median

from report import Row, ms, times
from servers import TONES
from speech import ANNOUNCEMENT, BULLETIN, load_engine, speak
from tone_engine import VOICES, create

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.engines.base import Utterance
from vieneu_core.router import Router
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.spec import EngineSpec

NEURAL = {"chunk_delay_s": 0.02}
"""Chunks are of 0.1 s, so this is a real-time factor of 0.2."""
N_FAST, N_SLOW = 60, 8


def measure() -> list[Row]:
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    engine, _ = load_engine()
    async with _routed(EngineSpec("espeak")) as router:
        one = await _compare(
            router, (ANNOUNCEMENT,), lambda: len(speak(engine, ANNOUNCEMENT)), n=N_FAST
        )
        many = await _compare(
            router, BULLETIN, lambda: sum(len(speak(engine, s)) for s in BULLETIN), n=N_FAST // 3
        )
    tones = create(NEURAL)
    tones.load(lambda _: None)

    def in_process() -> int:
        said = tones.synthesize(Utterance(text=ANNOUNCEMENT, voice=VOICES[0]), lambda: False)
        return sum(map(len, said))

    async with _routed(EngineSpec(TONES, NEURAL)) as router:
        slow = await _compare(router, (ANNOUNCEMENT,), in_process, n=N_SLOW)
    return [
        _row("embedded voice, one sentence", *one),
        _row("embedded voice, per sentence of seven in one request", *many),
        _row("engine at 5 times the speed of speech, one sentence", *slow),
    ]


@asynccontextmanager
async def _routed(engine: EngineSpec) -> AsyncGenerator[Router, None]:
    router = Router(local=LocalBackend(engine))
    await router.load()
    try:
        yield router
    finally:
        await router.aclose()


async def _compare(
    router: Router, text: tuple[str, ...], in_process: Callable[[], int], *, n: int
) -> tuple[float, float]:
    """Return median seconds per sentence: routed, and in this process; measured in turns."""
    routed_s, direct_s = [], []
    for turn in range(n + 1):
        began_s = time.perf_counter()
        n_bytes = in_process()
        between_s = time.perf_counter()
        speech = await synthesize(router, SynthesisRequest(text=text))
        ended_s = time.perf_counter()
        assert len(speech.pcm) == n_bytes  # both spoke the same
        if turn > 0:  # the first one warms up
            direct_s.append((between_s - began_s) / len(text))
            routed_s.append((ended_s - between_s) / len(text))
    return median(routed_s), median(direct_s)


def _row(what: str, routed_s: float, direct_s: float) -> Row:
    return Row(
        part="Router and worker",
        what=what,
        measured=f"{ms(routed_s)} ({ms(routed_s - direct_s)} more)",
        against=f"engine in process: {ms(direct_s)}",
        ratio=times(routed_s, direct_s),
    )
