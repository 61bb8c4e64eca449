"""Conversion of the sample rate. Speed and pitch do not change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vieneu_core.audio.pcm import frame_of, pcm_of

if TYPE_CHECKING:
    from av import AudioResampler


class Resampler:
    """Resamples a stream of mono signed 16-bit samples, piece by piece. Blocking.

    With equal rates the samples pass through unchanged.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._n_in = 0
        self._resampler: AudioResampler | None = None
        if from_hz != to_hz:
            import av

            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=to_hz)

    def push(self, pcm: bytes) -> bytes:
        """Return the samples that are complete; the last few milliseconds are kept back."""
        if self._resampler is None or not pcm:
            return pcm
        frame = frame_of(pcm, self._from_hz, self._n_in)
        self._n_in += frame.samples
        return b"".join(pcm_of(out) for out in self._resampler.resample(frame))

    def finish(self) -> bytes:
        """Return the samples that were kept back."""
        if self._resampler is None or not self._n_in:
            return b""
        return b"".join(pcm_of(out) for out in self._resampler.resample(None))
