"""Clips that a voice can be cloned from."""

from __future__ import annotations

import numpy as np

from vieneu_core.synthesis import ReferenceAudio


def clip(seed: int = 0) -> ReferenceAudio:
    pcm = np.random.default_rng(seed).integers(-5000, 5000, 16_000 * 4).astype("<i2").tobytes()
    return ReferenceAudio(pcm=pcm, sample_rate_hz=16_000, transcript="Xin chào các bạn.")
