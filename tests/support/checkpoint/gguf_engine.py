"""The engine ``gguf`` on the files of `folder`: texts, voices, and what it says."""

from __future__ import annotations

from checkpoint.presets import VOICES
from engine_calls import never

from vieneu_core.engines.base import Utterance
from vieneu_core.engines.speech_lm.engine import CodeEngine
from vieneu_core.voices import Voice

TEXT = "Xin chào các bạn, hôm nay trời đẹp quá, chúng ta cùng nhau đi chơi công viên nhé."
SENTENCES = ("Xin chào các bạn.", "Hôm nay trời đẹp quá, phải không?", "Chúng ta đi chơi nhé.")
AN, CHI = (Voice(id=name, name=v["description"], language="vi") for name, v in VOICES.items())


def speak_gguf(engine: CodeEngine, text: str = TEXT, voice: Voice = AN) -> bytes:
    return b"".join(engine.synthesize(Utterance(text=text, voice=voice), never))
