"""Samples as the frames of PyAV, and back."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE

if TYPE_CHECKING:
    from av import AudioFrame


def frame_of(pcm: bytes, sample_rate_hz: int, at_sample: int | None = None) -> AudioFrame:
    """Return mono signed 16-bit samples as a frame, at its place in the stream where given."""
    import av

    frame = av.AudioFrame(
        format="s16", layout="mono", samples=len(pcm) // BYTES_PER_SAMPLE, align=1
    )
    frame.planes[0].update(pcm)
    frame.sample_rate = sample_rate_hz
    if at_sample is not None:
        frame.pts = at_sample
        frame.time_base = Fraction(1, sample_rate_hz)
    return frame


def pcm_of(frame: AudioFrame) -> bytes:
    """Return the samples of a mono signed 16-bit frame, without the padding behind them."""
    return bytes(frame.planes[0])[: frame.samples * BYTES_PER_SAMPLE]
