"""One engine in a process of its own, for `engines`: what it costs to import, load and speak.

    python engine_case.py relay|upstream|relay-marked|upstream-marked FOLDER

All speak the same sentences as a stream, with the same synthetic model and codec, the same library
of llama.cpp and one thread for each core; ``-marked`` adds the watermark of resemble-perth, which
upstream loads by itself where it is installed. The last line of the output is JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

SENTENCES = (
    "Xin chào các bạn, hôm nay trời đẹp quá, chúng ta cùng nhau đi chơi công viên nhé.",
    "Nhiệt độ ngoài trời là hai mươi lăm độ, trời nhiều mây và có mưa rào vào buổi chiều tối.",
    "Cửa chính đang mở, xin hãy kiểm tra lại trước khi ra khỏi nhà và đóng cửa cẩn thận.",
)
N_TURNS = 5
RATE_HZ, SAMPLES_PER_CODE = 24_000, 480


class CountingDecoder:
    """Counts the frames that a decoder is given."""

    def __init__(self, decode: Callable[[Any], Any], count: Callable[[Any], int]) -> None:
        self._decode, self._count = decode, count
        self.n_frames = 0

    def __call__(self, codes: Any) -> Any:
        """Count the codes, and decode them."""
        self.n_frames += self._count(codes)
        return self._decode(codes)


def relay(folder: Path, *, marked: bool) -> tuple[Callable[[str], Iterator[int]], CountingDecoder]:
    """Load our engine; return how it speaks, in samples of each piece."""
    from vieneu_core.engines.base import Utterance
    from vieneu_core.engines.gguf import create
    from vieneu_core.worker.watermarking import Watermarking

    engine = create(_options(folder))
    info = engine.load(lambda _: None)
    decoder: Any = engine._loaded.decoder
    counter = CountingDecoder(decoder.decode, len)
    decoder.decode = counter

    marking = Watermarking() if marked else None  # as the worker does it

    def speak(text: str) -> Iterator[int]:
        pieces = engine.synthesize(Utterance(text=text, voice=info.voices[0]), lambda: False)
        for pcm in marking.mark(pieces, RATE_HZ) if marking else pieces:
            if pcm:
                yield len(pcm) // 2

    return speak, counter


def _options(folder: Path) -> dict[str, object]:
    return {
        "model": str(folder / "tiny.gguf"),
        "codec": str(folder / "codec.onnx"),
        "library": "llama-cpp-python",  # as upstream
        "codec_threads": 0,  # likewise: what ONNX Runtime finds best
    }


def upstream(
    folder: Path, *, marked: bool
) -> tuple[Callable[[str], Iterator[int]], CountingDecoder]:
    """Load upstream's engine of the same kind; its files come from a path, not from the hub."""
    import llama_cpp
    from vieneu import standard, utils

    def from_path(**more: Any) -> Any:
        for name in ("repo_id", "filename", "token", "repetitive_penalty", "mlock"):
            more.pop(name, None)
        more |= {"n_threads": os.cpu_count(), "n_threads_batch": os.cpu_count()}
        return llama_cpp.Llama(model_path=str(folder / "tiny.gguf"), **more)

    library: Any = llama_cpp.Llama
    library.from_pretrained = from_path
    codec: Any = utils.NeuCodecOnnx
    codec.from_pretrained = lambda *_: codec(str(folder / "codec.onnx"))
    if not marked:
        base: Any = standard.VieNeuTTS
        base._init_watermarker = lambda _: None
    engine = standard.VieNeuTTS(backbone_repo=str(folder), gguf_filename="tiny.gguf")
    voice = engine.get_preset_voice("An")
    counter = CountingDecoder(engine.codec.decode_code, lambda codes: codes.shape[-1])
    engine.codec.decode_code = counter

    def speak(text: str) -> Iterator[int]:
        for samples in engine.infer_stream(text, voice=voice):
            yield len(samples)

    return speak, counter


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    kind, _, marked = kind.partition("-")
    began_s = time.perf_counter()
    import_module_of(kind)
    import_s = time.perf_counter() - began_s
    speak, counter = {"relay": relay, "upstream": upstream}[kind](folder, marked=bool(marked))
    first_s, factors = [], []
    n_samples = 0
    for turn in range(N_TURNS + 1):
        if turn == 1:  # the first one warms up
            counter.n_frames = n_samples = 0
        for text in SENTENCES:
            asked_s = time.perf_counter()
            pieces = speak(text)
            n_sentence = next(pieces)
            heard_s = time.perf_counter()
            n_sentence += sum(pieces)
            ended_s = time.perf_counter()
            n_samples += n_sentence
            if turn:
                first_s.append(heard_s - asked_s)
                factors.append((ended_s - asked_s) / (n_sentence / RATE_HZ))
    peak = next(x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x)
    result = {
        "import_s": import_s,
        "first_s": median(first_s),
        "factor": median(factors),
        "work": counter.n_frames / (n_samples / SAMPLES_PER_CODE),
        "peak_mb": int(peak.split()[1]) / 1024,
    }
    print(json.dumps(result))


def import_module_of(kind: str) -> None:
    """Import what a program imports to use this engine in its own process."""
    if kind == "relay":
        import vieneu_core.engines.gguf  # noqa: F401 - its cost is what is measured
    else:
        import vieneu.standard  # noqa: F401 - likewise


if __name__ == "__main__":
    main()
