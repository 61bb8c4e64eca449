"""Clips that a voice can be cloned from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.synthesis import ReferenceAudio


def clip(seed: int = 0) -> ReferenceAudio:
    pcm = np.random.default_rng(seed).integers(-5000, 5000, 16_000 * 4).astype("<i2").tobytes()
    return ReferenceAudio(pcm=pcm, sample_rate_hz=16_000, transcript="Xin chào các bạn.")


def clip_samples(seed: int, seconds: float = 3.0) -> NDArray[np.float32]:
    """Make a clip as encoders get it: 16 kHz."""
    noise = np.random.default_rng(seed).normal(0, 0.1, round(16_000 * seconds))
    return noise.astype(np.float32)


def wav_file(seconds: float = 5) -> bytes:
    """Make a WAV file that is loud and soft as speech is: a vowel in syllables, 16 kHz."""
    t = np.arange(round(16_000 * seconds)) / 16_000
    vowel = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 12))
    wave = vowel * np.maximum(np.sin(2 * np.pi * 2.5 * t), 0.001) ** 0.5
    encoder = Encoder(AudioFormat.WAV, 16_000)
    pcm = np.rint(wave / np.abs(wave).max() * 9000).astype("<i2").tobytes()
    return encoder.encode(pcm) + encoder.finish()
