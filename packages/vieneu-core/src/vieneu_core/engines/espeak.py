"""The embedded voice: eSpeak NG by ctypes, from the package espeakng-loader.

Small, always available, speaks a sentence in a few milliseconds. The library holds its state in
globals, so a process has one instance with one caller at a time. Its interface is described in
``speak_lib.h`` of https://github.com/espeak-ng/espeak-ng (version 1.52).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from vieneu_core.audio.sanity_check import count_letters, is_silent
from vieneu_core.engines.base import (
    EngineInfo,
    EngineMemory,
    LoadProgress,
    OnLoad,
    Utterance,
)
from vieneu_core.engines.registry import ESPEAK, missing_extra
from vieneu_core.errors import (
    CloningUnsupportedError,
    EmptyTextError,
    ModelLoadError,
    SynthesisFailedError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
)
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice

VOICES = (
    Voice(id="vi-north", name="eSpeak miền Bắc", language="vi"),
    Voice(id="vi-central", name="eSpeak miền Trung", language="vi"),
    Voice(id="vi-south", name="eSpeak miền Nam", language="vi"),
    Voice(id="en-us", name="eSpeak American English", language="en"),
    Voice(id="en-gb", name="eSpeak British English", language="en"),
)
NATIVE_NAMES = {
    "vi-north": b"vi+Annie",
    "vi-central": b"vi-vn-x-central+Annie",
    "vi-south": b"vi-vn-x-south+Annie",
    "en-us": b"en-us",
    "en-gb": b"en",
}
"""Names for ``espeak_SetVoiceByName``: a language, "+" and a variant (the folder ``voices/!v``).
A Vietnamese speech recogniser understands Annie, f2 and f5 best, one like the other, and Annie's
peaks are the lowest (``benchmarks/README.md``). eSpeak ignores a variant that it does not know."""
WORDS_PER_MINUTE = {"vi": 140, "en": 175}
"""Rate of speech. eSpeak's default is 175; Vietnamese is understood better when it is slower."""
VOLUME = 85
"""Amplitude in per cent of eSpeak's normal one. At 100 and above the loudest vowels reach the
limits of 16 bits: eSpeak compresses them, and a few samples still clip."""

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_END_PAUSE = 0x1000
# The kinds of espeak_SetParameter, from espeak_PARAMETER in speak_lib.h.
_RATE, _VOLUME = 1, 2
_CHUNK_S = 0.25
# eSpeak keeps its data path in a buffer of 160 bytes and appends file names to it.
_MAX_DATA_PATH_BYTES = 100

_SynthCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class EspeakEngine:
    """eSpeak NG in this process. It has no options."""

    def __init__(self) -> None:
        self._library: Any = None
        self._sample_rate_hz = 0
        self._take = _SynthCallback(self._on_samples)  # eSpeak holds a bare pointer to it
        self._gathered = bytearray()
        self._cancelled: Callable[[], bool] = _never

    def load(self, progress: OnLoad) -> EngineInfo:
        """Load library and data.

        Raises:
            MissingExtraError: espeakng-loader is not installed.
            ModelLoadError: the library or its data cannot be loaded.
        """
        progress(LoadProgress("Loading eSpeak NG"))
        loader = _loader()
        library, rate = _started(loader.get_library_path(), _data_folder(loader))
        self._library, self._sample_rate_hz = library, rate
        version = library.espeak_Info(None).decode()
        return EngineInfo(
            engine=ESPEAK, model=f"eSpeak NG {version}", sample_rate_hz=rate, voices=VOICES
        )

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        """Yield the samples of a sentence, in chunks of a quarter of a second.

        Raises:
            CloningUnsupportedError, WatermarkUnavailableError: requested, but unsupported.
            VoiceNotFoundError: the voice is not among `VOICES`.
            EmptyTextError: eSpeak has no sound for any character of the sentence.
            SynthesisFailedError: eSpeak reports an error.
        """
        voice = _supported_voice(utterance)
        if self._library.espeak_SetVoiceByName(NATIVE_NAMES[voice.id]) != 0:
            raise SynthesisFailedError(
                Translatable("eSpeak NG has no data for the voice {voice_id}.", voice_id=voice.id)
            )
        # Before each sentence: the parameters too are the process's, and survive the voice.
        for parameter, value in ((_RATE, WORDS_PER_MINUTE[voice.language]), (_VOLUME, VOLUME)):
            _check(self._library.espeak_SetParameter(parameter, value, 0))
        # Flags without SSML and phoneme markup: "<" and "[[" are text. A zero byte would end it.
        words = utterance.text
        text = words.replace("\0", " ").encode(errors="replace")
        self._gathered, self._cancelled = bytearray(), cancelled
        # The library is one for the process: another engine may have set its own meanwhile.
        self._library.espeak_SetSynthCallback(self._take)
        status = self._library.espeak_Synth(
            text, len(text) + 1, 0, 0, 0, _CHARS_UTF8 | _END_PAUSE, None, None
        )
        _check(status)
        silent = not count_letters(words) and is_silent(bytes(self._gathered))
        if silent and not cancelled():
            raise EmptyTextError("The sentence has nothing that can be pronounced.")
        size = round(self._sample_rate_hz * _CHUNK_S) * 2
        for start in range(0, len(self._gathered), size):
            if cancelled():
                return
            yield bytes(self._gathered[start : start + size])

    def memory(self) -> EngineMemory:
        """Return no memory: it uses no device."""
        return EngineMemory()

    def _on_samples(self, wave: Any, n_samples: int, events: int | None) -> int:
        """Receive samples from the library; return 1 to stop it."""
        del events
        if wave and n_samples > 0:
            self._gathered += ctypes.string_at(wave, n_samples * 2)
        return int(self._cancelled())


def create(options: Mapping[str, object]) -> EspeakEngine:
    """Create the engine.

    Raises:
        ModelLoadError: there are options, but this engine has none.
    """
    if options:
        names = ", ".join(sorted(options))
        raise ModelLoadError(
            Translatable("The engine espeak has no options, but was given: {names}.", names=names)
        )
    return EspeakEngine()


def _check(status: int) -> None:
    if status != 0:
        raise SynthesisFailedError(
            Translatable("eSpeak NG could not speak a sentence (error {status}).", status=status)
        )


def _supported_voice(utterance: Utterance) -> Voice:
    if utterance.reference is not None or utterance.voice is None:
        raise CloningUnsupportedError("The engine espeak cannot speak with reference audio.")
    if utterance.watermark:
        raise WatermarkUnavailableError("The engine espeak cannot watermark.")
    if utterance.voice.id not in NATIVE_NAMES:
        known = ", ".join(NATIVE_NAMES)
        raise VoiceNotFoundError(
            Translatable(
                "espeak has no voice {voice_id!r}. It has: {known}.",
                voice_id=utterance.voice.id,
                known=known,
            )
        )
    return utterance.voice


def _loader() -> ModuleType:
    try:
        import espeakng_loader
    except ImportError as error:
        raise missing_extra(ESPEAK) from error
    module: ModuleType = espeakng_loader
    return module


@cache
def _started(library_path: str, data_folder: str) -> tuple[Any, int]:
    """Load the library and start it; return it with its sample rate in Hz.

    Once in a process: a second start frees the tables of phonemes that the voice still points to.

    Raises:
        ModelLoadError: the library cannot be loaded, or does not start with these data.
    """
    try:
        library = ctypes.CDLL(library_path)
    except OSError as error:
        raise ModelLoadError(
            Translatable("The eSpeak NG library cannot be loaded: {error}", error=error)
        ) from error
    library.espeak_Info.restype = ctypes.c_char_p
    data = _short_path(data_folder)
    rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, _INITIALIZE_DONT_EXIT)
    # Without its option to exit, eSpeak returns a rate even if it could not read its data.
    if rate <= 0 or library.espeak_SetVoiceByName(NATIVE_NAMES[VOICES[0].id]) != 0:
        raise ModelLoadError(
            Translatable("eSpeak NG does not start with its data (result {result}).", result=rate)
        )
    return library, rate


def _data_folder(loader: ModuleType) -> str:
    folder = str(loader.get_data_path())
    if not Path(folder, "phontab").is_file():
        raise ModelLoadError(
            Translatable("The data of eSpeak NG are not in {folder}.", folder=folder)
        )
    return folder


def _short_path(path: str) -> bytes:
    """Return a path short enough for eSpeak's buffer, through an open directory if necessary."""
    raw = os.fsencode(path)
    if len(raw) <= _MAX_DATA_PATH_BYTES:
        return raw
    return b"/proc/self/fd/%d" % os.open(path, os.O_RDONLY | os.O_DIRECTORY)


def _never() -> bool:
    return False
