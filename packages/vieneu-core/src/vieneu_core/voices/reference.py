"""Conversion of a clip to reference audio for cloning: validated, trimmed and levelled.

An unusable clip is rejected with the measured values; a correctable one is corrected, and the
result states how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vieneu_core.audio.decode import decode_clip
from vieneu_core.audio.pcm import floats_of_pcm, pcm_of_floats
from vieneu_core.audio.resample import Resampler
from vieneu_core.errors import ReferenceAudioError
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.text.clean import has_speech, one_line
from vieneu_core.translatable import Translatable
from vieneu_core.voices.encoder import ENCODER_RATE_HZ

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHORTEST_S, LONGEST_S = 3.0, 15.0
TARGET_DBFS, PEAK_DBFS = -23.0, -1.0
"""Loudness of the speech (RMS), and the highest peak."""
_TOO_QUIET_DBFS = -45.0
_LONGEST_INPUT_S = 600.0
_FRAME_S = 0.02
_SILENCE_BELOW_PEAK_DB = 35.0
_MARGIN_S = 0.1
_CUT_SEARCH_S = 2.0
_FULL_SCALE = 0.999
_CLIPPED_RUN = 3
_MOST_CLIPPED = 0.001
_NOISE_RANGE_DB = 6.0
_MOST_DC = 0.05
_LEAST_CHANGE_DB = 1.0
_SLOWEST, _FASTEST = 2.0, 30.0
"""Plausible rates of speech, in letters a second."""


@dataclass(frozen=True, slots=True)
class CheckedReference:
    """Reference audio, and the corrections that were made."""

    reference: ReferenceAudio
    cut_from_s: float | None = None
    """Length of the speech before it was cut, in seconds: the transcript has to be cut too."""
    gain_db: float = 0.0
    """Gain that was applied; below 0 it was attenuated."""


def read_reference(data: bytes, transcript: str) -> CheckedReference:
    """Return reference audio from a WAV, FLAC, OGG or MP3 file. Blocking.

    Args:
        data: The file's content.
        transcript: Transcript of the clip.

    Raises:
        ReferenceAudioError: it is unusable; the message contains the reason and the measured value.
    """
    text = one_line(transcript)
    if not has_speech(text):
        raise ReferenceAudioError(
            "The transcript is empty.", remedy="Write down what is said in the clip, word by word."
        )
    samples = _mono_16_khz(data)
    _check_signal(samples)
    samples, cut_from_s = _trimmed(samples)
    gain_db = _wanted_gain_db(samples)
    _check_transcript(text, len(samples) / ENCODER_RATE_HZ)
    pcm = pcm_of_floats(samples * 10 ** (gain_db / 20))
    reference = ReferenceAudio(pcm=pcm, sample_rate_hz=ENCODER_RATE_HZ, transcript=text)
    return CheckedReference(reference, cut_from_s, gain_db)


def _mono_16_khz(data: bytes) -> NDArray[np.float32]:
    clip = decode_clip(data, max_seconds=_LONGEST_INPUT_S, min_seconds=SHORTEST_S)
    resampler = Resampler(clip.sample_rate_hz, ENCODER_RATE_HZ)
    return floats_of_pcm(resampler.push(clip.pcm) + resampler.finish())


def _check_signal(samples: NDArray[np.float32]) -> None:
    import numpy as np

    offset = float(samples.mean())
    if abs(offset) > _MOST_DC:
        raise ReferenceAudioError(
            Translatable("The clip has an offset of {offset:.2f} of full scale.", offset=offset),
            remedy="Record it again; the microphone or its input is faulty.",
        )
    full = np.abs(samples) >= _FULL_SCALE
    runs = np.convolve(full, np.ones(_CLIPPED_RUN), "valid") >= _CLIPPED_RUN
    share = float(runs.mean())
    if share > _MOST_CLIPPED:
        raise ReferenceAudioError(
            Translatable(
                "The clip is overdriven: {share:.1f} % of it is at full scale.", share=100 * share
            ),
            remedy="Record it again, further from the microphone or with less gain.",
        )


def _levels(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the loudness of each 20 ms in dB below full scale."""
    import numpy as np

    n_frame = round(ENCODER_RATE_HZ * _FRAME_S)
    frames = samples[: len(samples) // n_frame * n_frame].reshape(-1, n_frame)
    power = np.mean(frames.astype(np.float64) ** 2, axis=1)
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 1e-12))
    return levels


def _trimmed(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], float | None]:
    """Remove silence at both ends, and keep at most 15 s, cut in a pause.

    Returns the samples, and the length in seconds before the cut, or None without a cut.
    """
    import numpy as np

    levels = _levels(samples)
    if float(levels.max() - np.percentile(levels, 10)) < _NOISE_RANGE_DB:
        raise ReferenceAudioError(
            Translatable(
                "The clip is equally loud all the time ({loudest:.0f} dBFS): no speech is heard.",
                loudest=levels.max(),
            ),
            remedy="Record a voice that speaks, in a quiet room.",
        )
    loud = np.flatnonzero(levels > levels.max() - _SILENCE_BELOW_PEAK_DB)
    margin, n_frame = round(_MARGIN_S * ENCODER_RATE_HZ), round(ENCODER_RATE_HZ * _FRAME_S)
    begin = max(0, int(loud[0]) * n_frame - margin)
    end = min(len(samples), (int(loud[-1]) + 1) * n_frame + margin)
    kept, cut_from_s = samples[begin:end], None
    if len(kept) > LONGEST_S * ENCODER_RATE_HZ:
        cut_from_s = len(kept) / ENCODER_RATE_HZ
        kept = kept[: _quiet_place(levels[begin // n_frame :]) * n_frame]
    seconds = len(kept) / ENCODER_RATE_HZ
    if seconds < SHORTEST_S:
        raise ReferenceAudioError(
            Translatable(
                "The clip has only {seconds:.1f} s of speech; at least {shortest_s:g} s are"
                " needed.",
                seconds=seconds,
                shortest_s=SHORTEST_S,
            )
        )
    return kept, cut_from_s


def _quiet_place(levels: NDArray[np.float64]) -> int:
    """Return the quietest frame in the last two seconds before the limit."""
    last = round(LONGEST_S / _FRAME_S)
    first = last - round(_CUT_SEARCH_S / _FRAME_S)
    return first + int(levels[first:last].argmin())


def _wanted_gain_db(samples: NDArray[np.float32]) -> float:
    """Return the gain to the loudness that models expect, limited by the peaks."""
    import numpy as np

    levels = _levels(samples)
    speech = levels[levels > levels.max() - _SILENCE_BELOW_PEAK_DB]
    loudness = 10 * float(np.log10(np.mean(10 ** (speech / 10))))
    if loudness < _TOO_QUIET_DBFS:
        raise ReferenceAudioError(
            Translatable(
                "The clip is too quiet: its speech has {loudness:.0f} dBFS.", loudness=loudness
            ),
            remedy="Record it again, closer to the microphone.",
        )
    peak = 20 * float(np.log10(np.abs(samples).max()))
    change = min(TARGET_DBFS - loudness, PEAK_DBFS - peak)
    return change if abs(change) >= _LEAST_CHANGE_DB else 0.0


def _check_transcript(text: str, seconds: float) -> None:
    rate = sum(map(str.isalnum, text)) / seconds
    if not _SLOWEST <= rate <= _FASTEST:
        raise ReferenceAudioError(
            Translatable(
                "The transcript has {rate:.1f} letters for each of the {seconds:.1f} s of the"
                " clip: it does not match the clip.",
                rate=rate,
                seconds=seconds,
            ),
            remedy="Write down exactly what is said, from the first word to the last.",
        )
