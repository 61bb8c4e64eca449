"""Change of speed at the same pitch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, frame_of, pcm_of

if TYPE_CHECKING:
    from av import AudioFrame
    from av.filter import Graph

# Silence at the end flushes the filter, which drops a window that is not full.
_WINDOWS_S = 0.5


class TempoStretcher:
    """Changes the speed of a stream of mono signed 16-bit samples, piece by piece. Blocking.

    The filter is FFmpeg's ``atempo`` (waveform-similarity overlap-add). At speed 1.0 the
    samples pass through unchanged.

    Args:
        sample_rate_hz: Rate of the samples.
        speed: 0.5 to 2.0; 2.0 makes the audio half as long.
    """

    def __init__(self, sample_rate_hz: int, speed: float) -> None:
        self._sample_rate_hz = sample_rate_hz
        self._speed = speed
        self._same = speed == 1.0
        self._n_in = 0
        self._out_bytes = 0
        if not self._same:
            self._graph = _atempo(sample_rate_hz, speed)

    def push(self, pcm: bytes) -> bytes:
        """Return the samples that are complete; some tens of milliseconds are kept back."""
        if self._same or not pcm:
            return pcm
        frame = frame_of(pcm, self._sample_rate_hz, self._n_in)
        self._n_in += frame.samples
        self._graph.push(frame)
        out = self._pull()
        self._out_bytes += len(out)
        return out

    def finish(self) -> bytes:
        """Return the samples that were kept back, so that the length is exact to a sample."""
        if self._same or not self._n_in:
            return b""
        wanted = round(self._n_in / self._speed) * BYTES_PER_SAMPLE - self._out_bytes
        silence = bytes(int(_WINDOWS_S * self._sample_rate_hz) * BYTES_PER_SAMPLE)
        rest = self.push(silence)
        self._graph.push(None)
        rest += self._pull()
        return rest[: max(wanted, 0)].ljust(wanted, b"\0")

    def _pull(self) -> bytes:
        import av

        parts = []
        try:
            while True:
                parts.append(pcm_of(cast("AudioFrame", self._graph.pull())))
        except (av.error.BlockingIOError, av.error.EOFError):
            return b"".join(parts)


def stretched(pieces: Iterator[bytes], sample_rate_hz: int, speed: float) -> Iterator[bytes]:
    """Yield the samples of a sentence at another speed; see `TempoStretcher`. Blocking."""
    stretcher = TempoStretcher(sample_rate_hz, speed)
    for pcm in pieces:
        yield stretcher.push(pcm)
    yield stretcher.finish()


def _atempo(sample_rate_hz: int, speed: float) -> Graph:
    import av.filter

    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=sample_rate_hz, format="s16", layout="mono")
    tempo = graph.add("atempo", f"{speed:.4f}")
    sink = graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()
    return graph
