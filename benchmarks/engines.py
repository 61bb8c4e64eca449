"""Our engine against upstream's, and our loop against llama.cpp alone.

The first half runs both engines in processes of their own, in turns, on one synthetic model: its
codes cost next to nothing, so what is seen is what each engine adds, and how soon it begins to
speak. The second half takes models of the real sizes with random weights, which it makes itself:
codes a second of our loop, sampling included, against the bare ``llama_decode`` of llama.cpp (what
its own benchmark measures); of the trimmed vocabulary against the whole one; and of the prebuilt
packages against the compiled one. 50 codes are a second of speech.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from checkpoint.folder import make_folder
from code_case import N_CODES, PROMPT, SETTINGS
from full_size import SHAPES, write_full_size
from report import Row, ms, times

from vieneu_core.engines.gguf.llama_cpp_python import LlamaCppPython
from vieneu_core.engines.gguf.llama_ctypes import LlamaCppModel
from vieneu_core.models.prune_vocabulary import trim

HERE = Path(__file__).resolve().parent
N_RUNS, N_TURNS = 3, 5
N_REACHABLE = 4_000
"""Text tokens that are kept of a whole vocabulary: about so many are reached by phonemes."""


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        return [*_against_upstream(Path(folder)), *_full_size(Path(folder))]


def _against_upstream(folder: Path) -> list[Row]:
    make_folder(folder, codes_per_token=1.0)
    return [*_compared(folder, "", "no watermark"), *_compared(folder, "-marked", "watermarked")]


def _compared(folder: Path, suffix: str, label: str) -> list[Row]:
    runs: dict[str, list[dict[str, float]]] = {f"relay{suffix}": [], f"upstream{suffix}": []}
    for _ in range(N_RUNS):
        for kind, results in runs.items():
            results.append(_run(kind, folder))
    ours, theirs = map(_medians, runs.values())
    name = f"vieneu {version('vieneu')} standard"
    row = _row_maker(f"Engine gguf, tiny model, {label}", name, ours, theirs)
    return [
        row("time to first audio", "first_s", ms),
        row("real-time factor", "factor", lambda value: f"{value:.4f}"),
        row("frames decoded for each frame heard", "work", lambda value: f"{value:.2f}"),
        row("peak memory of its process", "peak_mb", lambda value: f"{value:.0f} MB"),
        row("import", "import_s", ms),
    ]


def _run(kind: str, folder: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads(output_of("engine_case.py", kind, str(folder)))
    return found


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: median(run[key] for run in runs) for key in runs[0]}


def _row_maker(
    part: str, name: str, ours: dict[str, float], theirs: dict[str, float]
) -> Callable[[str, str, Callable[[float], str]], Row]:
    def row(what: str, key: str, write: Callable[[float], str]) -> Row:
        return Row(
            part=part,
            what=what,
            measured=write(ours[key]),
            against=f"{name}: {write(theirs[key])}",
            ratio=times(ours[key], theirs[key]),
        )

    return row


def _full_size(folder: Path) -> list[Row]:
    rows: list[Row] = []
    for name, shape in SHAPES.items():
        path = folder / f"{name}.gguf"
        write_full_size(path, shape)
        part = f"Codes a second, {name} Q4_0, {SETTINGS.threads} threads"
        ours, bare = _in_turns(_looped(path), _bare(path))
        rows.append(
            _rate_row(part, "our loop, sampling included", ours, "llama_decode alone", bare)
        )
        if shape.n_text_tokens > 2 * N_REACHABLE:
            path, row = _trimmed(part, path)
            rows.append(row)
        # xllamacpp draws from the whole vocabulary, and random weights would say text half the
        # time: that is why the trimmed model is taken where there is one.
        names = ("llama-cpp-python", "ik-llama-cpp-python", "xllamacpp")
        compiled, *prebuilt = _in_turns(*(_said(name, path) for name in names))
        rows += [
            _rate_row(part, name, rate, names[0], compiled)
            for name, rate in zip(names[1:], prebuilt, strict=True)
        ]
        path.unlink()
    return rows


def _trimmed(part: str, path: Path) -> tuple[Path, Row]:
    """Trim a model and measure what that brings; the whole one is deleted."""
    small = path.with_suffix(".trimmed.gguf")
    report = trim(path, small, reachable=range(256, N_REACHABLE + 256), progress=lambda *_: None)
    whole, trimmed = _in_turns(_looped(path), _looped(small))
    path.unlink()
    before_mb, after_mb = report.bytes_before / 1e6, report.bytes_after / 1e6
    what = f"vocabulary trimmed, {before_mb:.0f} MB to {after_mb:.0f} MB"
    return small, _rate_row(part, what, trimmed, "whole", whole)


Case = tuple[Callable[[], float], Callable[[], None]]
"""Measures codes a second once; and gives back what it took."""


def _in_turns(*cases: Case) -> list[float]:
    rates: list[list[float]] = [[] for _ in cases]
    for turn in range(N_TURNS + 1):
        for (run, _), found in zip(cases, rates, strict=True):
            rate = run()
            if turn:  # the first one warms up
                found.append(rate)
    for _, close in cases:
        close()
    return [median(found) for found in rates]


def _looped(path: Path) -> Case:
    """Our loop from the first code on, whatever the codes are."""
    model: Any = LlamaCppModel(path, SETTINGS, LlamaCppPython())
    tokens = model._prompts.tokens(PROMPT)

    def run() -> float:
        model._evaluate(tokens, lambda: False)
        began_s = time.perf_counter()
        for _ in range(N_CODES):
            token = model._sampler.draw(model._logits())
            model._vocabulary.code(token)
            model._decode([token])
        return N_CODES / (time.perf_counter() - began_s)

    return run, model.close


def _bare(path: Path) -> Case:
    """Nothing but llama.cpp: decode a token, wait for its logits."""
    model: Any = LlamaCppModel(path, SETTINGS, LlamaCppPython())
    tokens, llama = model._prompts.tokens(PROMPT), model._llama
    one = (llama.llama_token * 1)(tokens[-1])

    def run() -> float:
        model._evaluate(tokens, lambda: False)
        began_s = time.perf_counter()
        for _ in range(N_CODES):
            llama.llama_decode(model._context, llama.llama_batch_get_one(one, 1))
            llama.llama_synchronize(model._context)
        rate = N_CODES / (time.perf_counter() - began_s)
        memory = llama.llama_get_memory(model._context)
        llama.llama_memory_seq_rm(memory, 0, len(model._past), -1)
        return rate

    return run, model.close


def _said(library: str, path: Path) -> Case:
    """From the second code to the last, as an engine takes them.

    In a process of its own: the idle threads of the one would take time from the other.
    """
    return lambda: float(output_of("code_case.py", library, str(path))), lambda: None


def output_of(script: str, *arguments: str) -> str:
    """Return the last line that one of our scripts prints."""
    paths = os.pathsep.join((str(HERE), str(HERE.parent / "tests/support")))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / script), *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    return done.stdout.splitlines()[-1]


def _rate_row(part: str, what: str, ours: float, name: str, other: float) -> Row:
    return Row(
        part=part,
        what=what,
        measured=f"{ours:.1f}",
        against=f"{name}: {other:.1f}",
        ratio=times(ours, other),
    )
