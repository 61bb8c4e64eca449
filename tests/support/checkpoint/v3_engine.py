"""The engine ``sdk`` on checkpoints of `v3_turbo` and `v3_nano`, and what can become of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from checkpoint.moss_codec import moss_pitches_of, write_moss_codec
from checkpoint.v3_turbo import write_v3_turbo
from numpy.typing import NDArray

from vieneu_core.engines.base import EngineInfo, Utterance
from vieneu_core.engines.sdk import SdkEngine, create
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice

SHORT = "Xin chào các bạn."
LONG = "Xin chào các bạn, hôm nay trời đẹp quá phải không nào các bạn ơi."
AN, CHI = "Thử An", "Thử Chi"
LAST = {AN: 9, CHI: 509}
"""The code that the clip of each voice of v3 Turbo ends with."""


def make_turbo(folder: Path) -> Path:
    """Write a v3 Turbo as ``model`` and its codec as ``codec``; return the folder."""
    write_v3_turbo(folder / "model")
    write_moss_codec(folder / "codec")
    return folder


def turbo(folder: Path, **more: object) -> dict[str, object]:
    """Return options for what `make_turbo` wrote, without chance in them."""
    return {
        "model": str(folder / "model"),
        "codec": str(folder / "codec"),
        "device": "cpu",
        "threads": 1,
        "temperature": 0,
        "repetition_penalty": 1.0,
        **more,
    }


def loaded_sdk(options: dict[str, object]) -> tuple[SdkEngine, EngineInfo]:
    """Make the engine and load it."""
    engine = create(options)
    return engine, engine.load(lambda _: None)


def spoken(engine: SdkEngine, text: str, voice: str | ReferenceAudio = AN) -> list[bytes]:
    """Speak a sentence with a preset or a clip; return its sound as it came."""
    clip = voice if isinstance(voice, ReferenceAudio) else None
    named = Voice(voice, voice, "vi") if isinstance(voice, str) else None
    utterance = Utterance(text=text, voice=named, reference=clip)
    return list(engine.synthesize(utterance, lambda: False))


def pitches_spoken(engine: SdkEngine, text: str, voice: str | ReferenceAudio = AN) -> list[float]:
    """Speak a sentence with v3 Turbo; return the pitch of each frame, in Hz."""
    return moss_pitches_of(floats(b"".join(spoken(engine, text, voice))))


def floats(pcm: bytes) -> NDArray[np.float64]:
    """Return 16-bit samples as numbers from -1 to 1."""
    return np.frombuffer(pcm, "<i2") / 32_768


def noise_clip(seconds: float = 4.0, *, loudness: int = 3000, seed: int = 0) -> ReferenceAudio:
    """Make a clip of noise at 16 kHz."""
    noise = np.random.default_rng(seed).integers(-loudness, loudness + 1, round(16_000 * seconds))
    return ReferenceAudio(
        pcm=noise.astype("<i2").tobytes(), sample_rate_hz=16_000, transcript="Xin chào."
    )


def missing(path: Path) -> None:
    """Take a file away."""
    path.unlink()


def invalid(path: Path) -> None:
    """Fill a file with nonsense."""
    path.write_bytes(b"nonsense")


def cut_off(path: Path) -> None:
    """Leave half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
