"""The whole chain from text to audio on a CPU, in a process of its own, for `cpu_chain`.

    python chain_case.py ik-llama-cpp-python|llama-cpp-python|xllamacpp FOLDER

FOLDER holds ``model.gguf``, ``codec.onnx`` and ``voices.json``. The last line of the output is
JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from vieneu_core.engines.base import Utterance
from vieneu_core.engines.gguf import create

WORD = "Xin chào."
TEN_WORDS = "Cửa trước đang mở, xin hãy kiểm tra lại ngay."
LONG = (
    "Nhiệt độ ngoài trời là hai mươi lăm độ, trời nhiều mây và có mưa rào vào buổi chiều tối,"
    " xin nhớ đóng cửa sổ và mang theo áo mưa trước khi ra khỏi nhà."
)
RATE_HZ, N_TURNS = 24_000, 3
SHORT_S, WHOLE_S = 3.0, 9.0
"""Seconds of speech after which a sentence is broken off, since random weights know no end: the
length of an announcement, and that of the long sentence as a person reads it."""


def main() -> None:
    library, folder = sys.argv[1], Path(sys.argv[2])
    engine: Any = create(
        {
            "library": library,
            "model": str(folder / "model.gguf"),
            "codec": str(folder / "codec.onnx"),
            "voices": str(folder / "voices.json"),
            "format": "plain",
            "emotion": "none",
            "threads": 2,
            "seed": 1,
        }
    )
    began_s = time.perf_counter()
    engine._parts = engine._load_parts(lambda _: None)  # its first word would not end either
    load_s = time.perf_counter() - began_s
    voice = engine._parts.voices[0]
    cold, warm, short, whole = [], [], [], []
    for _ in range(N_TURNS):
        speak(engine, Utterance(text=WORD, voice=voice), until_s=0.3)
        cold.append(speak(engine, Utterance(text=TEN_WORDS, voice=voice), until_s=0.3)[0])
        speak(engine, Utterance(text=WORD, voice=voice), until_s=0.3)
        prefetch(engine, Utterance(text=WORD, voice=voice, upcoming=(TEN_WORDS,)))
        warm.append(speak(engine, Utterance(text=TEN_WORDS, voice=voice), until_s=0.3)[0])
        speak(engine, Utterance(text=WORD, voice=voice), until_s=0.3)
        short.append(speak(engine, Utterance(text=LONG, voice=voice), until_s=SHORT_S)[1])
        speak(engine, Utterance(text=WORD, voice=voice), until_s=0.3)
        whole.append(speak(engine, Utterance(text=LONG, voice=voice), until_s=WHOLE_S)[1])
    peak = next(x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x)
    result = {
        "load_s": load_s,
        "cold_s": sorted(cold)[N_TURNS // 2],
        "warm_s": sorted(warm)[N_TURNS // 2],
        "short": sorted(short)[N_TURNS // 2],
        "whole": sorted(whole)[N_TURNS // 2],
        "peak_mb": int(peak.split()[1]) / 1024,
    }
    print(json.dumps(result))


def prefetch(engine: Any, utterance: Utterance) -> None:
    """Work ahead on the next sentence, as after the last code of the one before."""
    engine._prefetch_next_sentence(utterance)
    engine._parts.model.prefetch_next(lambda: False)


def speak(engine: Any, utterance: Utterance, *, until_s: float) -> tuple[float, float]:
    """Speak so many seconds; return the seconds to the first audio, and the real-time factor."""
    began_s = time.perf_counter()
    first_s, heard_s = 0.0, 0.0
    # Without limits of its length: random weights keep none.
    pieces: Iterator[bytes] = engine._synthesize(utterance, lambda: False, 0)
    with closing(pieces):  # type: ignore[type-var]
        for pcm in pieces:
            heard_s += len(pcm) / 2 / RATE_HZ
            if pcm and not first_s:
                first_s = time.perf_counter() - began_s
            if heard_s >= until_s:
                break
    took_s = time.perf_counter() - began_s
    engine._thread.submit(int).result()  # its own thread ends the sentence
    return first_s, took_s / heard_s


if __name__ == "__main__":
    main()
