"""Tones, and how to hear them again."""

from __future__ import annotations

import numpy as np

from vieneu_core.audio.pcm import AudioChunk, Speaker

SPEAKER = Speaker(backend="local", engine="tone", voice="sine")


def tone(hz: float, seconds: float, sample_rate_hz: int) -> bytes:
    at = np.arange(round(seconds * sample_rate_hz)) / sample_rate_hz
    return (np.sin(2 * np.pi * hz * at) * 10_000).astype("<i2").tobytes()


def samples(pcm: bytes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.frombuffer(pcm, dtype="<i2").astype(np.float64)


def heard_hz(pcm: bytes, sample_rate_hz: int) -> float:
    wave = samples(pcm)
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    return float(np.argmax(spectrum) * sample_rate_hz / len(wave))


def chunk(pcm: bytes, sample_rate_hz: int, *, final: bool = False) -> AudioChunk:
    return AudioChunk(pcm, sample_rate_hz, 0, SPEAKER, final)


def in_parts(pcm: bytes, n_bytes: int) -> list[bytes]:
    return [pcm[at : at + n_bytes] for at in range(0, len(pcm), n_bytes)]
