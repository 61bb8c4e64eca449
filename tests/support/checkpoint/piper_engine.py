"""The engine ``piper`` on synthetic voices: how it is loaded, and what is heard of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from checkpoint.piper_voice import (
    RATE_HZ,
    Samples,
    phoneme_pitch_hz,
    phoneme_pitches_of,
    tone_samples,
)
from engine_calls import never, quiet
from piper import PiperConfig, PiperVoice
from piper.config import PhonemeType

from vieneu_core.audio.pcm import floats_of_pcm
from vieneu_core.engines.base import EngineInfo, Utterance
from vieneu_core.engines.piper import PiperEngine, create
from vieneu_core.voices import Voice

NAME = "vi_VN-synthetic-medium"
VOICE = Voice(id=NAME, name="Piper synthetic", language="vi")
TEXT = "cửa trước đang mở, xin hãy kiểm tra lại."


def loaded_piper(graph: Path, **options: object) -> tuple[PiperEngine, EngineInfo]:
    engine = create({"voice": str(graph), **options})
    return engine, engine.load(quiet)


def speak_piper(
    engine: PiperEngine,
    text: str = TEXT,
    voice: Voice = VOICE,
    cancelled: Callable[[], bool] = never,
) -> Samples:
    spoken = engine.synthesize(Utterance(text=text, voice=voice), cancelled)
    return floats_of_pcm(b"".join(spoken))


def heard_phonemes(samples: Samples, **scales: float) -> list[int]:
    return [hz for hz in phoneme_pitches_of(samples, tone_samples(**scales)) if hz]


def phonemes(text: str, espeak: str = "vi", known: int = 154) -> list[int]:
    """Return the pitches that the phonemes of a text have, as Piper's own eSpeak NG makes them.

    By a voice without a graph: the package starts eSpeak once for all voices of a process, and a
    second start frees the tables that the first one's voice points to.
    """
    config = PiperConfig(
        num_symbols=known,
        num_speakers=1,
        sample_rate=RATE_HZ,
        espeak_voice=espeak,
        phoneme_id_map={},
        phoneme_type=PhonemeType.ESPEAK,
    )
    sentences = PiperVoice(session=None, config=config).phonemize(text)
    made = [each for sentence in sentences for each in sentence]
    pitches = [phoneme_pitch_hz(each) for each in made]
    return [hz for hz in pitches if hz < phoneme_pitch_hz(" ") + 20 * known]
