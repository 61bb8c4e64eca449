from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import espeakng_loader
import numpy as np
import pytest
from numpy.typing import NDArray

from vieneu_core.audio.sanity_check import is_silent
from vieneu_core.engines.base import EngineInfo, LoadProgress, Utterance
from vieneu_core.engines.espeak import VOICES, EspeakEngine, create
from vieneu_core.errors import (
    CloningUnsupportedError,
    EmptyTextError,
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
)
from vieneu_core.installation import extra_command
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.text.clean import is_speakable, one_line
from vieneu_core.text.rules.unsaid import RANGES
from vieneu_core.text.spoken import spoken
from vieneu_core.voices import Voice

TEXT = "Xin chào các bạn, hôm nay trời đẹp quá."


def quiet(now: LoadProgress) -> None:
    del now


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def loaded() -> tuple[EspeakEngine, EngineInfo]:
    """The library is loaded once in a process, as in a worker."""
    engine = create({})
    return engine, engine.load(quiet)


@pytest.fixture(scope="module")
def engine(loaded: tuple[EspeakEngine, EngineInfo]) -> EspeakEngine:
    return loaded[0]


@pytest.fixture(scope="module")
def info(loaded: tuple[EspeakEngine, EngineInfo]) -> EngineInfo:
    return loaded[1]


def speak(engine: EspeakEngine, text: str = TEXT, voice: Voice = VOICES[0]) -> bytes:
    return b"".join(engine.synthesize(Utterance(text=text, voice=voice), never))


def test_it_says_what_it_is(info: EngineInfo, engine: EspeakEngine) -> None:
    assert info.engine == "espeak"
    assert info.model.startswith("eSpeak NG 1.")
    assert info.sample_rate_hz == 22_050
    assert [voice.id for voice in info.voices] == [
        "vi-north",
        "vi-central",
        "vi-south",
        "en-us",
        "en-gb",
    ]
    assert not info.clones
    assert not info.watermarks
    assert engine.memory().gpu_used_gb is None


def test_every_voice_speaks_and_none_like_another(engine: EspeakEngine) -> None:
    spoken = {voice.id: speak(engine, voice=voice) for voice in VOICES}

    for pcm in spoken.values():
        samples = np.frombuffer(pcm, dtype="<i2")
        assert 1.5 < len(samples) / 22_050 < 10
        assert np.abs(samples).max() > 3_000
    assert len(set(spoken.values())) == len(VOICES)


LOUD = (
    "CHÁY! CHÁY! Mau ra khỏi nhà!",
    "A! Á! À! Ả! Ã! Ạ!",
    "Đỏ, đỏ quá, đỏ ối, ôi bố ơi!",
    "Hoa, loa, toả, xoã, đoá.",
    "Fire! Fire! Leave the house now!",
    "Wow, awful, all, awe, oh no!",
)


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.id)
def test_loud_sentences_neither_clip_nor_are_compressed(engine: EspeakEngine, voice: Voice) -> None:
    # eSpeak compresses what would exceed 16 bits, so that a peak at their limit is a trace of it.
    peaks = [np.abs(samples(engine, text, voice)).max() for text in LOUD]

    assert 15_000 < max(peaks) < 31_000


def samples(engine: EspeakEngine, text: str, voice: Voice) -> NDArray[np.int32]:
    return np.frombuffer(speak(engine, text, voice), dtype="<i2").astype(np.int32)


def test_voices_are_about_as_loud_as_each_other(engine: EspeakEngine) -> None:
    text = "Một, hai, ba. One, two, three. OK, hello."
    rms = [float(np.sqrt(np.mean(samples(engine, text, voice) ** 2.0))) for voice in VOICES]

    assert 20 * np.log10(max(rms) / min(rms)) < 4


@pytest.mark.parametrize("voice", [VOICES[0], VOICES[4]], ids=lambda voice: voice.id)
def test_the_rate_is_in_force_whatever_another_caller_has_set(
    engine: EspeakEngine, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["vieneu_core.engines.espeak"]
    own = len(speak(engine, voice=voice))
    monkeypatch.setitem(module.WORDS_PER_MINUTE, voice.language, 320)
    fast = len(speak(engine, voice=voice))
    monkeypatch.undo()

    assert fast < 0.75 * own
    assert len(speak(engine, voice=voice)) == pytest.approx(own, rel=0.02)


def test_the_amplitude_is_in_force(engine: EspeakEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["vieneu_core.engines.espeak"]
    own = np.abs(samples(engine, TEXT, VOICES[0])).max()
    monkeypatch.setattr(module, "VOLUME", module.VOLUME // 2)
    quiet_peak = np.abs(samples(engine, TEXT, VOICES[0])).max()

    assert quiet_peak == pytest.approx(own / 2, rel=0.2)


@pytest.mark.parametrize("voice", VOICES[:3], ids=lambda voice: voice.id)
def test_the_variant_is_in_force(
    engine: EspeakEngine, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    # eSpeak speaks without the variant, and without an error, if it does not know it.
    module = sys.modules["vieneu_core.engines.espeak"]
    name, _, variant = module.NATIVE_NAMES[voice.id].partition(b"+")
    own = spectral_centre_hz(speak(engine, voice=voice))
    monkeypatch.setitem(module.NATIVE_NAMES, voice.id, name)
    plain = spectral_centre_hz(speak(engine, voice=voice))
    monkeypatch.setitem(module.NATIVE_NAMES, voice.id, name + b"+no-such-variant")
    unknown = spectral_centre_hz(speak(engine, voice=voice))

    assert Path(espeakng_loader.get_data_path(), "voices/!v", variant.decode()).is_file()
    assert unknown == pytest.approx(plain, rel=0.01)
    assert own > 1.1 * plain


def spectral_centre_hz(pcm: bytes) -> float:
    power = np.abs(np.fft.rfft(np.frombuffer(pcm, dtype="<i2"))) ** 2
    frequencies = np.fft.rfftfreq(len(pcm) // 2, 1 / 22_050)
    return float((power * frequencies).sum() / power.sum())


def test_the_same_sentence_sounds_the_same_whatever_was_spoken_before(
    engine: EspeakEngine,
) -> None:
    first = speak(engine)
    speak(engine, voice=VOICES[3])

    assert len(speak(engine)) == pytest.approx(len(first), rel=0.02)


def test_silence_around_a_sentence_is_short(engine: EspeakEngine) -> None:
    loud = np.flatnonzero(np.abs(np.frombuffer(speak(engine), dtype="<i2")) > 300)
    n_samples = len(speak(engine)) // 2

    assert loud[0] / 22_050 < 0.2
    assert (n_samples - loud[-1]) / 22_050 < 0.6


def is_said(engine: EspeakEngine, text: str, voice: Voice) -> bool:
    try:
        return not is_silent(speak(engine, spoken(text, voice.language), voice))
    except EmptyTextError:
        return False


@pytest.mark.parametrize("voice", [VOICES[0], VOICES[3]], ids=lambda voice: voice.id)
def test_what_counts_as_speech_is_said(engine: EspeakEngine, voice: Voice) -> None:
    # All symbols and numbers of Unicode 3.2, which every Python knows, and a letter of each script.
    known = [chr(code) for code in range(0x110000) if is_known(chr(code))]
    letters = {unicodedata.name(c).split()[0]: c for c in known if c.isalpha()}
    symbols = [char for char in known if not char.isalpha()]
    texts = {one_line(char) for char in (*symbols, *letters.values())}

    assert len(texts) > 150
    assert [text for text in sorted(texts) if not is_said(engine, text, voice)] == []


def is_known(char: str) -> bool:
    return unicodedata.ucd_3_2_0.category(char) not in {"Cn", "Cs", "Co"} and is_speakable(char)


def test_what_does_not_count_as_speech_is_not_said(engine: EspeakEngine) -> None:
    chars = [chr(code) for code_points in RANGES for code in code_points]
    letters = [char for char in chars if unicodedata.category(char)[0] in "LS"]

    assert len(letters) > 100
    assert [char for char in letters if is_said(engine, char, VOICES[0])] == []


def test_a_symbol_is_said_as_its_word(engine: EspeakEngine) -> None:
    said = speak(engine, spoken("5₫", "vi"))

    assert len(said) == pytest.approx(len(speak(engine, "năm đồng")), rel=0.05)


def test_a_sentence_without_any_sound_is_an_error(engine: EspeakEngine) -> None:
    with pytest.raises(EmptyTextError):
        speak(engine, "\u20a0")
    assert len(speak(engine)) > 30_000


def test_markup_is_text_and_does_no_harm(engine: EspeakEngine) -> None:
    plain = len(speak(engine, "Một hai ba."))

    assert len(speak(engine, '<speak><audio src="/etc/passwd"/>Một hai ba.</speak>')) > plain
    assert len(speak(engine, "[[t'E]] Một hai ba.")) > plain
    assert len(speak(engine, "Một\0 hai\0 ba.")) == pytest.approx(plain, rel=0.1)
    assert len(speak(engine, "Một hai ba \ud800.")) == pytest.approx(plain, abs=200)


def test_a_long_sentence_comes_in_chunks_and_stops_when_cancelled(engine: EspeakEngine) -> None:
    utterance = Utterance(text="Một hai ba bốn năm. " * 15, voice=VOICES[0])
    health_checks = 0

    def after_a_while() -> bool:
        nonlocal health_checks
        health_checks += 1
        return health_checks > 20

    whole = list(engine.synthesize(utterance, never))
    stopped = list(engine.synthesize(utterance, after_a_while))

    assert len(whole) > 20
    assert stopped == []
    assert 20 < health_checks < 30
    assert len(speak(engine)) > 30_000


def test_cancelling_between_two_chunks_ends_the_sentence(engine: EspeakEngine) -> None:
    cancelled = False
    chunks = engine.synthesize(Utterance(text=TEXT, voice=VOICES[0]), lambda: cancelled)
    next(chunks)

    cancelled = True

    assert list(chunks) == []


def test_what_it_cannot_do_is_refused(engine: EspeakEngine) -> None:
    clip = ReferenceAudio(pcm=bytes(200), sample_rate_hz=24_000, transcript="a")

    with pytest.raises(CloningUnsupportedError):
        list(engine.synthesize(Utterance(text=TEXT, voice=None, reference=clip), never))
    with pytest.raises(WatermarkUnavailableError):
        list(engine.synthesize(Utterance(text=TEXT, voice=VOICES[0], watermark=True), never))
    with pytest.raises(VoiceNotFoundError, match="vi-north"):
        speak(engine, voice=Voice(id="ba", name="Ba", language="vi"))


def test_a_voice_without_data_is_an_error(
    engine: EspeakEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        sys.modules["vieneu_core.engines.espeak"].NATIVE_NAMES, "vi-north", b"no-such-voice"
    )

    with pytest.raises(SynthesisFailedError, match="vi-north"):
        speak(engine)


def test_a_missing_package_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)

    with pytest.raises(MissingExtraError) as caught:
        create({}).load(quiet)

    assert caught.value.remedy == f"Install them: {extra_command('espeak')}"


def test_options_are_refused() -> None:
    with pytest.raises(ModelLoadError, match="pitch"):
        create({"pitch": 3})
