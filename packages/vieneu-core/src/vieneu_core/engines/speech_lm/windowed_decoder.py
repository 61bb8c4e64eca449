"""Codes into samples while the codes still come: windows that grow, and are joined unheard.

A decoder looks around each frame, so a window is decoded with frames of context on either side.
Those are decoded more than once; how many is held to half of the frames that are heard: the context
in front of a window is as long as that allows, and the windows double in length. The first one is
short, so that sound starts after ten codes.

Where two windows meet, one frame is known from both, and is faded from the one to the other. All
other frames are heard as they were decoded once. So for a decoder that looks no further than the
context, the sum of the windows is what one decoding of all codes gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vieneu_core.engines.speech_lm.codec import SAMPLES_PER_CODE, SpeechDecoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIRST_FRAMES = 8
"""Length of the first window."""
LONGEST_FRAMES = 64
"""Length of the longest: 1.28 s."""
LOOKAHEAD_FRAMES = 2
"""Decoded behind the end of a window: the first is faded into the next window."""
LEAST_CONTEXT_FRAMES, MOST_CONTEXT_FRAMES = 3, 50
"""Decoded before the beginning of a window."""
MOST_WORK = 1.5
"""Frames decoded for each frame heard."""


@dataclass(frozen=True, slots=True)
class Window:
    """A run of frames; the indices count from the first frame of the sentence."""

    context: int
    """First frame to be decoded."""
    start: int
    """First frame to be heard."""
    end: int
    """The frame behind the last one to be heard."""
    stop: int
    """The frame behind the last one to be decoded."""

    @property
    def n_decoded(self) -> int:
        """Number of frames to be decoded."""
        return self.stop - self.context


class WindowPlan:
    """Decides which windows a sentence is decoded in, as its codes become known."""

    def __init__(self) -> None:
        self._end = 0
        self._n_decoded = 0
        self._length = FIRST_FRAMES

    @property
    def n_decoded(self) -> int:
        """Frames that all windows so far decode."""
        return self._n_decoded

    def next(self, n_known: int) -> Window | None:
        """Return the next window, once enough codes are known."""
        start, end = self._end, self._end + self._length
        stop = end + LOOKAHEAD_FRAMES
        if n_known < stop:
            return None
        self._length = min(2 * self._length, LONGEST_FRAMES)
        return self._take(Window(start - self._context(start, end, stop), start, end, stop))

    def last(self, n_codes: int) -> Window | None:
        """Return the window of the rest; None where there is none."""
        if n_codes == self._end:
            return None
        context = min(self._end, LEAST_CONTEXT_FRAMES)
        return self._take(Window(self._end - context, self._end, n_codes, n_codes))

    def _take(self, window: Window) -> Window:
        self._end = window.end
        self._n_decoded += window.n_decoded
        return window

    def _context(self, start: int, end: int, stop: int) -> int:
        """Return the longest context after which the last window may still come at any moment."""
        # The rest is at least the lookahead, and the last window decodes it once.
        allowed = int(MOST_WORK * end + (MOST_WORK - 1) * (stop - end))
        spare = allowed - LEAST_CONTEXT_FRAMES - self._n_decoded - (stop - start)
        return min(start, max(spare, LEAST_CONTEXT_FRAMES), MOST_CONTEXT_FRAMES)


class StreamDecoder:
    """Decodes the codes of one sentence. Blocking; one caller at a time."""

    def __init__(self, decoder: SpeechDecoder) -> None:
        self._decoder = decoder
        self._plan = WindowPlan()
        self._codes: list[int] = []
        self._join: NDArray[np.float32] | None = None

    @property
    def n_codes(self) -> int:
        """Codes taken so far."""
        return len(self._codes)

    @property
    def n_decoded(self) -> int:
        """Frames decoded so far, those decoded twice counted twice."""
        return self._plan.n_decoded

    def push(self, codes: Sequence[int]) -> Iterator[NDArray[np.float32]]:
        """Yield the samples of each window that these codes complete, as soon as it is decoded.

        Yields:
            Samples of shape (n_samples,), never empty.

        Raises what `SpeechDecoder.decode` raises.
        """
        self._codes += codes
        while (window := self._plan.next(len(self._codes))) is not None:
            yield self._decoded(window)

    def finish(self) -> NDArray[np.float32]:
        """Return what is left at the end of the sentence.

        Raises what `SpeechDecoder.decode` raises.
        """
        import numpy as np

        window = self._plan.last(len(self._codes))
        return np.zeros(0, np.float32) if window is None else self._decoded(window)

    def _decoded(self, window: Window) -> NDArray[np.float32]:
        samples = self._decoder.decode(self._codes[window.context : window.stop])
        begin = (window.start - window.context) * SAMPLES_PER_CODE
        end = (window.end - window.context) * SAMPLES_PER_CODE
        heard = samples[begin:end].copy()
        if self._join is not None:
            heard[:SAMPLES_PER_CODE] = _faded(self._join, heard[:SAMPLES_PER_CODE])
        self._join = None
        if window.stop > window.end:
            self._join = samples[end : end + SAMPLES_PER_CODE]
        return heard


def _faded(out: NDArray[np.float32], into: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fade linearly from one decoding of a frame to the other."""
    import numpy as np

    gain = (np.arange(len(into), dtype=np.float32) + 0.5) / np.float32(len(into))
    faded: NDArray[np.float32] = out * (1 - gain) + into * gain
    return faded
