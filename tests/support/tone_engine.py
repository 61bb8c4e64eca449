"""An engine in which every sentence has its own tone, and an ear that hears it again.

``tone_engine:create`` is the engine (for a worker: with this folder on the path); `heard` finds
from samples alone which sentences were spoken, in which order and how much of each; `expected`
says what a sentence sounds like. Words in a text make the engine fail in a given way:

=================  ==============================================================
``segfault``       dies of SIGSEGV at the sentence's middle
``sigkill``        dies of SIGKILL at the sentence's middle
``nativeexit``     the process ends with status 3, no Python clean-up
``memoryerror``    raises MemoryError
``devicememory``   raises DeviceMemoryError
``refuse``         raises SynthesisFailedError
``unsayable``      raises EmptyTextError before any sound
``oddbug``         raises an error that has no name of ours
``hangforever``     never returns, and never checks ``cancelled``
``silent``         returns digital silence
``tooshort``       returns 20 ms
``nothing``        returns no samples
``framenoise``     writes noise into the worker's own channel
``printnoise``     writes to standard output and standard error, then speaks
=================  ==============================================================
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from vieneu_core.engines.base import EngineInfo, EngineMemory, LoadProgress, Utterance
from vieneu_core.errors import (
    CloningUnsupportedError,
    DeviceMemoryError,
    EmptyTextError,
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
)
from vieneu_core.testing.tone import STEP_HZ, Tone, in_chunks, sentence_tone
from vieneu_core.voices import Voice

if TYPE_CHECKING:
    import numpy as np

VOICES = (
    Voice(id="vi-low", name="Thấp", language="vi"),
    Voice(id="vi-high", name="Cao", language="vi"),
    Voice(id="en-low", name="Low", language="en"),
)
FRAME_S = 0.005
WINDOW_S = 0.05


class Heard(NamedTuple):
    """A tone that is heard: its pitch, on the grid of 50 Hz, and its length."""

    hz: int
    seconds: float


def expected(sentence: str, *, speed: float = 1.0, above_hz: int = 0) -> Heard:
    """What one sentence sounds like, without the silence around it."""
    tone = sentence_tone(sentence, speed=speed)
    return Heard(tone.hz + above_hz, tone.seconds)


def heard(pcm: bytes, sample_rate_hz: int) -> list[Heard]:
    """Find the tones in mono 16-bit samples, in order. A repeat is heard twice, a cut is short."""
    import numpy as np

    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    tones: list[Heard] = []
    for start, end in _loud_runs(samples, round(FRAME_S * sample_rate_hz)):
        tones.extend(_tones_of(samples[start:end], sample_rate_hz))
    return tones


def same(got: list[Heard], want: list[Heard], *, tolerance_s: float = 0.04) -> bool:
    """Whether the same tones are heard in the same order, each to its full length."""
    return [g.hz for g in got] == [w.hz for w in want] and all(
        abs(g.seconds - w.seconds) <= tolerance_s for g, w in zip(got, want, strict=True)
    )


def _loud_runs(samples: np.ndarray, n_frame: int) -> Iterator[tuple[int, int]]:
    import numpy as np

    n_frames = len(samples) // n_frame
    frames = samples[: n_frames * n_frame].reshape(n_frames, n_frame)
    loud = np.sqrt(np.mean(frames**2, axis=1)) > 0.03 * 32767
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(np.int8), [0]])))
    for start, end in edges.reshape(-1, 2):
        if end - start >= 2:  # 10 ms; anything shorter is a click
            yield start * n_frame, end * n_frame


def _tones_of(samples: np.ndarray, sample_rate_hz: int) -> list[Heard]:
    """Split one loud run where its pitch changes."""
    n_window = round(WINDOW_S * sample_rate_hz)
    whole = _pitch(samples, sample_rate_hz)
    starts = range(0, max(1, len(samples) - n_window + 1), n_window)
    pitches = [_pitch(samples[s : s + n_window], sample_rate_hz) for s in starts]
    runs: list[list[int]] = []
    for i, hz in enumerate(pitches):
        if runs and abs(runs[-1][0] - hz) < STEP_HZ:
            runs[-1][1] += 1
        elif _lasts(pitches, i):
            runs.append([hz, 1])
        elif runs:
            runs[-1][1] += 1
    if len(runs) < 2:
        return [Heard(whole, round(len(samples) / sample_rate_hz, 3))]
    return [Heard(hz, round(n * WINDOW_S, 3)) for hz, n in runs]


def _lasts(pitches: list[int], i: int) -> bool:
    return i + 1 < len(pitches) and abs(pitches[i] - pitches[i + 1]) < STEP_HZ


def _pitch(samples: np.ndarray, sample_rate_hz: int) -> int:
    import numpy as np

    n_fft = 1 << max(15, (len(samples) - 1).bit_length())
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), n_fft))
    hz = np.argmax(spectrum) * sample_rate_hz / n_fft
    return int(round(hz / STEP_HZ) * STEP_HZ)


class ToneEngine:
    """Speaks tones. Options, all of them JSON values:

    ``sample_rate_hz`` (24000), ``chunk_delay_s`` (0: as fast as it can), ``load_delay_s`` (0),
    ``chunks_by`` (a pipe from which it reads a byte before each chunk),
    ``load_until_file`` (`load` ends once this file exists), ``clones`` and ``watermarks`` (false),
    ``load_error`` (a word: ``model``, ``memory``, ``voice``, ``extra``, ``bug``, ``crash``),
    ``crash_once_file`` (while this file exists, `load` removes it and dies), ``fail_while_file``
    (while this file exists, `load` fails), ``cloned_hz`` (0: so much higher is the voice of a
    recording).
    """

    def __init__(self, options: Mapping[str, object]) -> None:
        self.sample_rate_hz = int(str(options.get("sample_rate_hz", 24_000)))
        self.chunk_delay_s = float(str(options.get("chunk_delay_s", 0.0)))
        self.chunks_by = str(options.get("chunks_by", ""))
        self.load_delay_s = float(str(options.get("load_delay_s", 0.0)))
        self.load_until_file = str(options.get("load_until_file", ""))
        self.clones = bool(options.get("clones", False))
        self.cloned_hz = int(str(options.get("cloned_hz", 0)))
        self.watermarks = bool(options.get("watermarks", False))
        self.load_error = str(options.get("load_error", ""))
        self.crash_once_file = str(options.get("crash_once_file", ""))
        self.fail_while_file = str(options.get("fail_while_file", ""))

    def load(self, progress: Callable[[LoadProgress], None]) -> EngineInfo:
        progress(LoadProgress("Tuning the tone"))
        time.sleep(self.load_delay_s)
        awaited = self.load_until_file
        while awaited and not os.path.exists(awaited):  # noqa: PTH110 - one stat
            time.sleep(0.02)
        if self.crash_once_file and os.path.exists(self.crash_once_file):  # noqa: PTH110 - one stat
            os.unlink(self.crash_once_file)  # noqa: PTH108 - as above
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fail_while_file and os.path.exists(self.fail_while_file):  # noqa: PTH110 - as above
            raise DeviceMemoryError("The device has too little memory.")
        _fail_to_load(self.load_error)
        return EngineInfo(
            engine="tone",
            model="sine",
            sample_rate_hz=self.sample_rate_hz,
            voices=VOICES,
            clones=self.clones,
            watermarks=self.watermarks,
            accelerator="Tuning Fork",
        )

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        if utterance.reference is not None and not self.clones:
            raise CloningUnsupportedError("The tone engine cannot clone.")
        if utterance.watermark and not self.watermarks:
            raise WatermarkUnavailableError("The tone engine cannot watermark.")
        if "unsayable" in utterance.text:
            raise EmptyTextError("The sentence has nothing that can be pronounced.")
        pcm = _distorted(utterance.text, self._tone(utterance).pcm(self.sample_rate_hz))
        middle = len(pcm) // 2
        n_sent = 0
        for part in in_chunks(pcm, self.sample_rate_hz):
            if cancelled():
                return
            time.sleep(self.chunk_delay_s)
            if self.chunks_by:
                self._await_byte()
            if n_sent <= middle < n_sent + len(part):
                _trouble(utterance.text)
            yield part
            n_sent += len(part)

    def _await_byte(self) -> None:
        with open(self.chunks_by, "rb", buffering=0) as pipe:  # noqa: PTH123 - as above
            pipe.read(1)

    def _tone(self, utterance: Utterance) -> Tone:
        tone = sentence_tone(utterance.text)
        if utterance.reference is None:
            return tone
        return Tone(tone.hz + self.cloned_hz, tone.seconds)

    def memory(self) -> EngineMemory:
        return EngineMemory(gpu_used_gb=0.25, gpu_total_gb=1.0)


def _fail_to_load(word: str) -> None:
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    errors: dict[str, Exception] = {
        "model": ModelLoadError("The tuning fork is missing."),
        "memory": MemoryError(),
        "extra": MissingExtraError("The tone engine", "tone"),
        "voice": VoiceNotFoundError("No voice file."),
        "bug": ZeroDivisionError("division by zero"),
    }
    if word in errors:
        raise errors[word]


def _distorted(text: str, pcm: bytes) -> bytes:
    if "nothing" in text:
        return b""
    if "tooshort" in text:
        return pcm[4_000:4_960]
    return bytes(len(pcm)) if "silent" in text else pcm


def _trouble(text: str) -> None:
    """Do what the words of the text say."""
    errors: dict[str, Exception] = {
        "memoryerror": MemoryError(),
        "devicememory": DeviceMemoryError("The tone needs 5 GB."),
        "refuse": SynthesisFailedError("No tone for this."),
        "oddbug": ZeroDivisionError("division by zero"),
    }
    for word, error in errors.items():
        if word in text:
            raise error
    if "segfault" in text:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "sigkill" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "nativeexit" in text:
        os._exit(3)
    if "framenoise" in text:
        os.write(int(sys.argv[1]), b"\xff" * 64)
    if "hangforever" in text:
        os.write(2, b"hangs now\n")
        threading.Event().wait()
    if "printnoise" in text:
        sys.stdout.write("noise on stdout\n")
        sys.stdout.flush()
        os.write(1, b"\x00\x00\x00\x05hello raw noise\n")
        os.write(2, b"noise on stderr\n")


def create(options: Mapping[str, object]) -> ToneEngine:
    """Make the engine from its options."""
    return ToneEngine(options)
