"""The engine ``piper`` against its package alone, in turns in this process, on two threads.

    PIPER_VOICE=/path/of/en_US-joe-medium.onnx python benchmarks/run.py piper_engine

Without ``PIPER_VOICE``, the voice is synthetic: a graph of a few operations, so that what is seen
is what the engine and the phonemes add. With a real voice its speed is seen too. Both sides speak
the same sentences; first audio is the first chunk of the engine, and the first whole sentence of
the package. The real-time factor is of processor time too, which other programs disturb less.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import onnxruntime
from checkpoint.piper_voice import write_voice
from piper import PiperConfig, PiperVoice
from report import Row, ms, times
from speech import BULLETIN

from vieneu_core.engines.base import Utterance
from vieneu_core.engines.piper import create
from vieneu_core.engines.piper.voice_config import read_config

N_TURNS = 5
N_THREADS = 2
ENGLISH = (
    "The front door is open, please check it before you leave.",
    "The washing machine has finished, and the lights in the hall are still on.",
    "Tomorrow it will be twenty five degrees, with rain in the afternoon.",
)
Speak = Callable[[str], Iterator[int]]
"""Yields the number of samples of each piece."""


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        stated = os.environ.get("PIPER_VOICE")
        graph = Path(stated) if stated else write_voice(Path(folder))
        return _rows(graph, "" if stated else " (synthetic)")


def _rows(graph: Path, label: str) -> list[Row]:
    config = read_config(graph)
    texts = BULLETIN if config.language == "vi" else ENGLISH
    rate_hz = config.audio.sample_rate
    sides = {"ours": _engine(graph), "package": _package(graph, config.for_piper())}
    found: dict[str, list[tuple[float, float, float]]] = {side: [] for side in sides}
    for turn in range(N_TURNS + 1):
        for text in texts:
            for side, speak in sides.items():
                timed = _timed(speak, text, rate_hz)
                if turn:  # the first one warms up
                    found[side].append(timed)
    ours, package = (
        [median(column) for column in zip(*found[side], strict=True)] for side in sides
    )
    part, against = f"Engine piper, {graph.stem}{label}, {N_THREADS} threads", "piper-tts alone"
    names = ("time to first audio", "real-time factor", "real-time factor of processor time")
    writers: tuple[Callable[[float], str], ...] = (ms, _factor, _factor)
    return [
        Row(
            part=part,
            what=what,
            measured=write(mine),
            against=f"{against}: {write(theirs)}",
            ratio=times(mine, theirs),
        )
        for what, write, mine, theirs in zip(names, writers, ours, package, strict=True)
    ]


def _factor(value: float) -> str:
    return f"{value:.4f}"


def _timed(speak: Speak, text: str, rate_hz: int) -> tuple[float, float, float]:
    """Return seconds to the first audio, and the factors of elapsed and of processor time."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    pieces = speak(text)
    n_samples = next(pieces)
    first_s = time.perf_counter() - began_s
    n_samples += sum(pieces)
    audio_s = n_samples / rate_hz
    took_s, took_cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    return first_s, took_s / audio_s, took_cpu_s / audio_s


def _engine(graph: Path) -> Speak:
    engine = create({"voice": str(graph), "threads": N_THREADS})
    voice = engine.load(lambda _: None).voices[0]

    def speak(text: str) -> Iterator[int]:
        for pcm in engine.synthesize(Utterance(text=text, voice=voice), lambda: False):
            yield len(pcm) // 2

    return speak


def _package(graph: Path, config: dict[str, Any]) -> Speak:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = N_THREADS
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    voice = PiperVoice(config=PiperConfig.from_dict(config), session=session)

    def speak(text: str) -> Iterator[int]:
        for chunk in voice.synthesize(text):
            yield len(chunk.audio_int16_array)

    return speak
