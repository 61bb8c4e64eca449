"""From text to audio on a CPU, with models of real sizes and random weights; two threads.

The 0.3B has the size of the v2 (189 MB), which is the default. Each library of llama.cpp runs in a
process of its own, in turns with the others, behind the same engine and the same 8-bit codec; the
voice is a clip of six seconds. The real-time factor includes phonemes, prompt, language model and
codec, for a sentence of nine seconds and for its first three.
First audio is that of ten words: with the prompt evaluated from the first token that differs, and
with a prompt that was evaluated before, as that of a following sentence is.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from engines import output_of
from full_codec import write_full_codec
from full_size import SHAPES, write_full_size
from report import Row, ms, times

from vieneu_core.engines.registry import needs_of

LIBRARIES = {
    "ik_llama_cpp": "ik-llama-cpp-python",
    "llama_cpp": "llama-cpp-python",
    "xllamacpp": "xllamacpp",
}
N_TURNS = 2
CLIP_CODES = 300
CLIP_TEXT = "Xin chào các bạn, hôm nay trời đẹp quá, chúng ta cùng nhau đi chơi công viên nhé."
FACTOR_LIMIT, COLD_LIMIT_S, WARM_LIMIT_S = 0.6, 0.8, 0.35


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_full_codec(folder / "codec.onnx")
        _write_voice(folder / "voices.json")
        write_full_size(folder / "model.gguf", SHAPES["0.3B"])
        return _rows(folder)


def _rows(folder: Path) -> list[Row]:
    usable = [name for module, name in LIBRARIES.items() if _is_usable(module)]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in usable}
    for _ in range(N_TURNS):
        for name in usable:
            runs[name].append(json.loads(output_of("chain_case.py", name, str(folder))))
    rows: list[Row] = []
    for name, results in runs.items():
        of = {key: median(result[key] for result in results) for key in results[0]}
        part = f"Whole chain on a CPU, 0.3B Q4_0, 8-bit codec, 2 threads, {name}"
        rows += [
            _row(part, "real-time factor of 9 s", f"{of['whole']:.2f}", of["whole"], FACTOR_LIMIT),
            _row(part, "real-time factor of 3 s", f"{of['short']:.2f}", of["short"], FACTOR_LIMIT),
            _row(part, "first audio of ten words", ms(of["cold_s"]), of["cold_s"], COLD_LIMIT_S),
            _row(part, "the same, prefetched", ms(of["warm_s"]), of["warm_s"], WARM_LIMIT_S),
        ]
    return rows


def _row(part: str, what: str, measured: str, value: float, limit: float) -> Row:
    against = f"limit: {limit if what.startswith('real-time factor') else ms(limit)}"
    return Row(part=part, what=what, measured=measured, against=against, ratio=times(value, limit))


def _is_usable(module: str) -> bool:
    probe = (sys.executable, "-c", f"import {module}")
    is_there = subprocess.run(probe, check=False, capture_output=True).returncode == 0
    return is_there and (module != "ik_llama_cpp" or needs_of("gguf").chosen == module)


def _write_voice(path: Path) -> None:
    draw = random.Random(1)
    codes = [draw.randrange(65_536) for _ in range(CLIP_CODES)]
    voices = {"default_voice": "An", "presets": {"An": {"codes": codes, "text": CLIP_TEXT}}}
    path.write_text(json.dumps(voices), "utf-8")
