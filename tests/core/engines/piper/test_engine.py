"""The engine ``piper``: the real package on a synthetic voice of the real format."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from checkpoint.piper_engine import (
    NAME,
    TEXT,
    VOICE,
    heard_phonemes,
    loaded_piper,
    phonemes,
    speak_piper,
)
from checkpoint.piper_voice import (
    N_OLD,
    RATE_HZ,
    Samples,
    phoneme_pitch_hz,
    phoneme_pitches_of,
    tone_samples,
    write_voice,
)
from engine_calls import never, quiet
from numpy.typing import NDArray

from vieneu_core.engines.base import Utterance
from vieneu_core.engines.piper import PiperEngine, create
from vieneu_core.errors import (
    CloningUnsupportedError,
    EmptyTextError,
    ModelLoadError,
    SynthesisFailedError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
)
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_voice(tmp_path_factory.mktemp("voice"))


@pytest.fixture(scope="module")
def engine(voice: Path) -> PiperEngine:
    return loaded_piper(voice)[0]


def test_it_says_what_it_is(voice: Path) -> None:
    engine, info = loaded_piper(voice)

    assert (info.engine, info.model, info.sample_rate_hz) == ("piper", NAME, RATE_HZ)
    assert info.voices == (VOICE,)
    assert not info.clones
    assert not info.watermarks
    assert info.accelerator is None
    assert engine.memory().gpu_used_gb is None


def test_it_speaks_every_phoneme_of_a_sentence_tones_included(engine: PiperEngine) -> None:
    pitches = heard_phonemes(speak_piper(engine))

    assert pitches == phonemes(TEXT)
    assert phoneme_pitch_hz("4") in pitches  # hỏi, of mở
    assert phoneme_pitch_hz("6") in pitches  # nặng, of lại


def test_the_scales_reach_the_model(voice: Path) -> None:
    slow, _ = loaded_piper(voice, length_scale=2.0, noise_w_scale=0.0, noise_scale=0.0)
    as_stated, _ = loaded_piper(voice)

    def octave(samples: Samples) -> float:
        """Return the part of the sound that is above the first tone's own pitch."""
        spectrum = np.abs(np.fft.rfft(samples.astype(np.float64)))
        low = spectrum[: round(len(spectrum) * 2 * phoneme_pitch_hz("a") / RATE_HZ * 1.5)].sum()
        return float(1 - low / spectrum.sum())

    samples = speak_piper(slow)
    assert heard_phonemes(samples, length_scale=2.0, noise_w=0.0) == phonemes(TEXT)
    assert len(samples) > 1.7 * len(speak_piper(as_stated))
    assert octave(speak_piper(slow, "a a a")) < octave(speak_piper(as_stated, "a a a"))


def test_sentences_are_made_one_after_the_other(
    engine: PiperEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    graph = engine._voice._voice.session  # type: ignore[union-attr]

    def run(outputs: object, inputs: dict[str, NDArray[np.int64]]) -> object:
        runs.append(inputs["input"].shape[1])
        return graph.run(outputs, inputs)

    class Counted:
        pass

    Counted.run = staticmethod(run)  # type: ignore[attr-defined]
    monkeypatch.setattr(engine._voice._voice, "session", Counted())  # type: ignore[union-attr]
    chunks = engine.synthesize(Utterance(text="Một hai! Ba bốn? Năm sáu.", voice=VOICE), never)

    next(chunks)
    assert len(runs) == 1
    list(chunks)
    assert len(runs) == 3


def test_a_long_sentence_comes_in_chunks_and_ends_when_cancelled(engine: PiperEngine) -> None:
    utterance = Utterance(text="một hai ba bốn năm. " * 8, voice=VOICE)
    checks = 0

    def after_three() -> bool:
        nonlocal checks
        checks += 1
        return checks > 3

    whole = list(engine.synthesize(utterance, never))
    stopped = list(engine.synthesize(utterance, after_three))

    assert len(whole) > 20
    assert all(len(chunk) <= RATE_HZ // 2 + 2 for chunk in whole)
    assert len(stopped) == 3
    assert heard_phonemes(speak_piper(engine)) == phonemes(TEXT)


def test_a_request_that_ended_early_makes_no_further_sentence(
    engine: PiperEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    voice = engine._voice._voice  # type: ignore[union-attr]
    synthesize = voice.synthesize

    def counted(text: str, *more: object) -> object:
        for chunk in synthesize(text, *more):
            made.append(text)
            yield chunk

    monkeypatch.setattr(voice, "synthesize", counted)
    speak_piper(engine, "A! Ba! Bốn! Năm!", cancelled=lambda: len(made) > 1)

    assert len(made) == 2


@pytest.mark.parametrize("text", ["", "...", ".", "\u20a0"])
def test_a_text_without_sounds_is_an_error(engine: PiperEngine, text: str) -> None:
    with pytest.raises(EmptyTextError):
        speak_piper(engine, text)
    assert heard_phonemes(speak_piper(engine)) == phonemes(TEXT)


def test_a_text_is_no_markup_and_holds_anything(engine: PiperEngine) -> None:
    plain = heard_phonemes(speak_piper(engine, "một hai ba"))

    assert heard_phonemes(speak_piper(engine, "một\0hai\0ba")) == plain
    injected = heard_phonemes(speak_piper(engine, "[[t'E]] một hai ba"))
    assert injected[-len(plain) :] == plain
    assert injected != [phoneme_pitch_hz("t"), phoneme_pitch_hz("'"), *plain]
    assert len(heard_phonemes(speak_piper(engine, "một \ud800 hai"))) >= len(
        heard_phonemes(speak_piper(engine, "một hai"))
    )


def test_what_it_cannot_do_is_refused(engine: PiperEngine) -> None:
    clip = ReferenceAudio(pcm=bytes(200), sample_rate_hz=24_000, transcript="a")

    with pytest.raises(CloningUnsupportedError):
        list(engine.synthesize(Utterance(text=TEXT, voice=None, reference=clip), never))
    with pytest.raises(WatermarkUnavailableError):
        list(engine.synthesize(Utterance(text=TEXT, voice=VOICE, watermark=True), never))
    with pytest.raises(VoiceNotFoundError, match=re.escape(NAME)):
        speak_piper(engine, voice=Voice(id="ba", name="Ba", language="vi"))
    with pytest.raises(ModelLoadError, match="before it was loaded"):
        speak_piper(create({"voice": "/nowhere.onnx"}))


def test_speakers_are_voices(tmp_path: Path) -> None:
    graph = write_voice(tmp_path, "vi_VN-two-low", speakers=("An", "Bình"), rate_hz=16_000)
    engine, info = loaded_piper(graph)
    names = [voice.id for voice in info.voices]

    assert names == ["vi_VN-two-low:An", "vi_VN-two-low:Bình"]
    assert [voice.name for voice in info.voices] == ["Piper synthetic An", "Piper synthetic Bình"]
    assert info.sample_rate_hz == 16_000
    for number, each in enumerate(info.voices):
        pitches = phoneme_pitches_of(speak_piper(engine, "a", each), tone_samples(), 16_000)
        assert phoneme_pitch_hz("a", number) in pitches


@pytest.mark.parametrize("chosen", ["Bình", 1, "1"])
def test_the_default_speaker_can_be_chosen(tmp_path: Path, chosen: object) -> None:
    graph = write_voice(tmp_path, speakers=("An", "Bình"))

    assert [voice.id for voice in loaded_piper(graph, speaker=chosen)[1].voices] == [
        f"{NAME}:Bình",
        f"{NAME}:An",
    ]
    with pytest.raises(ModelLoadError, match=r"no speaker 'Chi'.*An, Bình"):
        loaded_piper(graph, speaker="Chi")


def test_a_speaker_without_a_name_has_a_number(tmp_path: Path) -> None:
    graph = write_voice(tmp_path, speakers=("An", "Bình"), speaker_id_map={})

    assert [voice.id for voice in loaded_piper(graph)[1].voices] == [f"{NAME}:0", f"{NAME}:1"]


def test_an_english_voice_speaks_english(tmp_path: Path) -> None:
    engine, info = loaded_piper(write_voice(tmp_path, "en_US-synthetic-medium", espeak="en-us"))

    assert info.voices[0].language == "en"
    assert heard_phonemes(speak_piper(engine, "good morning", info.voices[0])) == phonemes(
        "good morning", "en-us"
    )


def test_a_voice_without_tones_is_named_while_it_loads(tmp_path: Path) -> None:
    old, steps = write_voice(tmp_path, "old", n_phonemes=N_OLD), list[str]()
    engine = create({"voice": str(old)})
    engine.load(lambda now: steps.append(now.step))
    voice = Voice(id="old", name="old", language="vi")

    assert any("does not distinguish the tones" in step for step in steps)
    assert heard_phonemes(speak_piper(engine, "ma", voice)) == heard_phonemes(
        speak_piper(engine, "mạ", voice)
    )
    new: list[str] = []
    create({"voice": str(write_voice(tmp_path))}).load(lambda now: new.append(now.step))
    assert not any("tones" in step for step in new)


def test_a_voice_whose_letters_are_phonemes(tmp_path: Path) -> None:
    graph = write_voice(tmp_path, phoneme_type="text")
    engine, _ = loaded_piper(graph)
    letters = [phoneme_pitch_hz(each) for each in unicodedata.normalize("NFD", "ba bon")]

    assert heard_phonemes(speak_piper(engine, "ba bon")) == letters


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.full(500, np.nan, np.float32), "not made of numbers"),
        (np.zeros((2, 500), np.float32), r"shape \[2, 500\]"),
        (np.float32(0.5), r"shape \[\]"),
        (np.zeros(0, np.float32), "Piper failed"),
        (np.zeros(RATE_HZ * 1000, np.float32), "shape"),
    ],
)
def test_audio_that_is_none_is_an_error(
    engine: PiperEngine, monkeypatch: pytest.MonkeyPatch, samples: Samples, expected: str
) -> None:
    voice = engine._voice._voice  # type: ignore[union-attr]
    monkeypatch.setattr(voice, "phoneme_ids_to_audio", lambda *_, **__: samples)

    with pytest.raises(SynthesisFailedError, match=expected):
        speak_piper(engine)


def test_espeak_and_piper_share_a_process(engine: PiperEngine) -> None:
    """Both have an eSpeak NG with global state of its own: neither changes the other's."""
    from vieneu_core.engines import espeak

    other = espeak.create({})
    other.load(quiet)

    def embedded() -> bytes:
        said = other.synthesize(Utterance(text="xin chào", voice=espeak.VOICES[3]), never)
        return b"".join(said)

    before = len(embedded())
    assert heard_phonemes(speak_piper(engine)) == phonemes(TEXT)
    assert len(embedded()) == pytest.approx(before, rel=0.02)
