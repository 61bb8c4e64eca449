"""The test engine whose troubles a file brings about."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos.ear import Ear
from chaos.engine import UNSAYABLE, Script, ScriptedToneEngine, create, write_script
from chaos.voice import VOICES

from vieneu_core.engines.base import Utterance
from vieneu_core.errors import EmptyTextError, SynthesisFailedError
from vieneu_core.testing.tone import sentence_tone

SENTENCE = "Đây là câu 5 của bản tin."


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "local.json"


def engine(script: Path, voice: str = "local") -> ScriptedToneEngine:
    return create({"voice": voice, "script": str(script)})


def spoken(speaker: ScriptedToneEngine, text: str = SENTENCE) -> bytes:
    utterance = Utterance(text=text, voice=None)
    return b"".join(speaker.synthesize(utterance, lambda: False))


@pytest.mark.parametrize("voice", VOICES)
def test_each_backend_has_a_voice_that_the_ear_knows(script: Path, voice: str) -> None:
    ear = Ear()
    ear.take(spoken(engine(script, voice)), 24_000, 0.0)

    (sound,) = ear.sounds()
    assert (sound.hz, sound.voice) == (sentence_tone(SENTENCE).hz, voice)


def test_a_trouble_happens_once_after_the_sentences_before_it(script: Path) -> None:
    speaker = engine(script)
    write_script(script, Script(trouble="refuse", skip=1))

    assert spoken(speaker)
    with pytest.raises(SynthesisFailedError):
        spoken(speaker)
    assert spoken(speaker)


def test_a_lasting_trouble_happens_until_the_script_is_gone(script: Path) -> None:
    speaker = engine(script)
    write_script(script, Script(trouble="refuse", lasting=True))

    for _ in range(3):
        with pytest.raises(SynthesisFailedError):
            spoken(speaker)
    script.unlink()
    assert spoken(speaker)


def test_audio_is_distorted_once(script: Path) -> None:
    speaker = engine(script)
    write_script(script, Script(trouble="nothing"))

    assert spoken(speaker) == b""
    assert spoken(speaker)


def test_a_sentence_that_cannot_be_said_is_refused(script: Path) -> None:
    with pytest.raises(EmptyTextError):
        spoken(engine(script), f"Câu này {UNSAYABLE}.")
