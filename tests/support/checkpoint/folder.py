"""A folder with all that an engine on synthetic files needs, and what it sounds like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from checkpoint import codec_graph
from checkpoint.codec_graph import write_codec
from checkpoint.gguf_model import write_gguf
from checkpoint.presets import VOICES, write_presets


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """Where the files are."""

    path: Path

    @property
    def model(self) -> Path:
        """The language model, a GGUF."""
        return self.path / "tiny.gguf"

    @property
    def codec(self) -> Path:
        """The decoder."""
        return self.path / "codec.onnx"

    def options(self, **more: object) -> dict[str, object]:
        """The options of an engine that uses them."""
        cache = self.path / "cache"
        return {
            "model": str(self.model),
            "codec": str(self.codec),
            "cache": str(cache),
            "temperature": 0,
            "threads": 1,
            **more,
        }


def make_folder(path: Path, *, codes_per_token: float = 1.0, context: int = 1) -> ModelFolder:
    """Write the files; takes half a second."""
    folder = ModelFolder(path)
    path.mkdir(parents=True, exist_ok=True)
    write_gguf(folder.model, codes_per_token=codes_per_token)
    write_codec(folder.codec, context=context)
    write_presets(path)
    return folder


def heard_codes(pcm: bytes) -> tuple[list[int], list[int]]:
    """Hear the pitch in Hz and the voice of each code in mono 16-bit samples of 24 kHz."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32_768)
    return codec_graph.pitches_of(samples), codec_graph.voices_of(samples)


def expected_codes(voice: str, n_codes: int) -> tuple[list[int], list[int]]:
    """What so many codes of a preset voice sound like."""
    last = VOICES[voice]["codes"][-1]
    low, high = (last + 1) & 0xFF, last >> 8
    return codec_graph.pitches_after(low, n_codes), [high] * n_codes
