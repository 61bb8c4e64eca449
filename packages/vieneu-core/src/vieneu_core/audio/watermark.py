"""Inaudible watermark by the package resemble-perth, applied to whole sentences.

https://github.com/resemble-ai/Perth. It works at 32 kHz; samples are resampled here, because
its own resampler takes ten seconds to start.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, floats_of_pcm, pcm_of_floats
from vieneu_core.audio.resample import Resampler
from vieneu_core.errors import WatermarkUnavailableError
from vieneu_core.installation import has_module
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NATIVE_HZ = 32_000
DETECTED = 0.5
"""`Watermarker.detect` returns more than this for watermarked audio."""
NEEDED = ("perth", "torch", "torchaudio", "librosa", "pkg_resources")
"""Modules of the extra ``watermark``; perth imports them, and ignores a failed import."""
WATERMARK_REMEDY = (
    "Send the request without a watermark, or install the extra watermark of vieneu-core on the"
    " machine that speaks: vieneu doctor shows the command there."
)
"""Shown to clients of a server too, so it contains no path of this machine."""
_SHORTEST_S = 0.5
_LEAST_GAIN = 10 ** (-0.4 / 20)
"""A reduction by 0.4 dB."""


def can_watermark() -> bool:
    """Return whether the required packages are installed. Imports nothing."""
    return all(map(has_module, NEEDED))


class Watermarker:
    """Loads the model and tests it on a second of audio. Blocking for some seconds.

    Raises:
        WatermarkUnavailableError: the package is not installed, or does not work.
    """

    def __init__(self) -> None:
        self._model = _load()
        test = pcm_of_floats(_voiced())
        if self.detect(self.apply(test, NATIVE_HZ), NATIVE_HZ) <= DETECTED:
            raise WatermarkUnavailableError(
                "The watermark that resemble-perth makes is not found again.",
                remedy=WATERMARK_REMEDY,
            )

    def apply(self, pcm: bytes, sample_rate_hz: int) -> bytes:
        """Return a sentence with a watermark, with the same length and loudness.

        Args:
            pcm: Mono signed 16-bit little-endian samples.
            sample_rate_hz: Their rate.
        """
        import numpy as np

        if not pcm:
            return pcm
        samples = _resampled(pcm, sample_rate_hz, NATIVE_HZ)
        n_samples = len(samples)
        padded = np.pad(samples, (0, max(0, round(_SHORTEST_S * NATIVE_HZ) - n_samples)))
        marked = self._model.apply_watermark(padded, sample_rate=NATIVE_HZ)
        marked = np.resize(marked, max(len(marked), n_samples))[:n_samples]
        marked = (marked * _gain(samples, marked)).astype(np.float32)
        back = _pcm_resampled(pcm_of_floats(marked), NATIVE_HZ, sample_rate_hz)
        return back[: len(pcm)].ljust(len(pcm), b"\0")

    def detect(self, pcm: bytes, sample_rate_hz: int) -> float:
        """Return the confidence that there is a watermark, from 0 to 1."""
        samples = _resampled(pcm, sample_rate_hz, NATIVE_HZ)
        found = self._model.get_watermark(samples, sample_rate=NATIVE_HZ, round=False)
        return float(found.mean())


def _load() -> Any:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # of its dependencies, about deprecated interfaces
        try:
            perth: Any = import_module("perth")
        except ImportError as error:
            raise WatermarkUnavailableError(
                "The package resemble-perth is not installed.", remedy=WATERMARK_REMEDY
            ) from error
        # None if its own imports failed; absent in an unrelated package called perth.
        make = getattr(perth, "PerthImplicitWatermarker", None)
        if make is None:
            raise WatermarkUnavailableError(
                "The package perth is there, but without its watermarker: what it needs is"
                " missing, or it is another package of that name.",
                remedy=WATERMARK_REMEDY,
            )
        try:
            return make()
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise WatermarkUnavailableError(
                Translatable("The watermarker does not load: {kind}.", kind=type(error).__name__),
                remedy=WATERMARK_REMEDY,
            ) from error


def _gain(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Return the gain that restores the original loudness.

    The watermark raises peaks. The gain keeps them within full scale if that is inaudible;
    peaks that still exceed it are clipped.
    """
    import numpy as np

    loud = float(np.sqrt(np.mean(after.astype(np.float64) ** 2)))
    if loud == 0.0:
        return 1.0
    wanted = float(np.sqrt(np.mean(before.astype(np.float64) ** 2))) / loud
    return max(min(wanted, 1.0 / float(np.abs(after).max())), wanted * _LEAST_GAIN)


def _voiced() -> NDArray[np.float32]:
    """Return a second of a vowel-like sound; a pure tone could not be watermarked."""
    import numpy as np

    t = np.arange(NATIVE_HZ) / NATIVE_HZ
    turns = 2 * np.pi * np.cumsum(120 + 20 * np.sin(4 * np.pi * t)) / NATIVE_HZ
    vowel = sum(np.sin(k * turns) / k for k in range(1, 20))
    made: NDArray[np.float32] = (vowel * (0.1 + 0.05 * np.sin(6 * np.pi * t))).astype(np.float32)
    return made


def _resampled(pcm: bytes, from_hz: int, to_hz: int) -> NDArray[np.float32]:
    return floats_of_pcm(_pcm_resampled(pcm, from_hz, to_hz))


def _pcm_resampled(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    resampler = Resampler(from_hz, to_hz)
    out = resampler.push(pcm) + resampler.finish()
    return out[: len(out) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE]
