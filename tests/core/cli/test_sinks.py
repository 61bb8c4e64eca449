"""A file holds each sentence once, also the one in which a backend broke."""

from __future__ import annotations

from pathlib import Path

import soundfile
from tone_engine import expected, heard, same

from vieneu_core.cli.sinks import FileSink
from vieneu_core.cli.stats import SynthesisStats
from vieneu_core.clock import SystemClock
from vieneu_core.errors import WorkerDiedError
from vieneu_core.router import Router
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SENTENCES = tuple(f"Đây là câu {n} của bản tin." for n in range(3))


async def test_what_a_failure_cut_off_is_neither_saved_nor_counted(tmp_path: Path) -> None:
    broken = ScriptStep(after_chunks=5, error=WorkerDiedError("crashed"))
    local, spare = ScriptedBackend([broken], name="local"), ScriptedBackend(name="last_resort")
    router = Router(local=local, last_resort=spare)
    stats = SynthesisStats(SystemClock(), lambda _: None)
    path = tmp_path / "a.wav"
    await router.load()
    try:
        request = SynthesisRequest(text=SENTENCES)
        await FileSink(path)(stats.counted(router.stream(request)))
    finally:
        await router.aclose()

    samples, rate_hz = soundfile.read(path, dtype="int16")
    assert same(heard(samples.tobytes(), rate_hz), [expected(s) for s in SENTENCES])
    assert abs(stats.audio_s - len(samples) / rate_hz) < 0.01
    assert abs(sum(stats.lengths_s.values()) - stats.audio_s) < 0.01
