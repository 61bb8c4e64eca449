"""The worker prepares the text, once and for every engine."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from vieneu_core.engines.base import EngineInfo, EngineMemory, OnLoad, Utterance
from vieneu_core.errors import EmptyTextError
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice
from vieneu_core.worker.child import Channel, Worker
from vieneu_core.worker.messages import Speak
from vieneu_core.worker.watermarking import Watermarking

VIETNAMESE = Voice(id="lan", name="Lan", language="vi")
ENGLISH = Voice(id="amy", name="Amy", language="en-US")
CLIP = ReferenceAudio(pcm=bytes(200), sample_rate_hz=24_000, transcript="a")
INFO = EngineInfo(engine="list", model="none", sample_rate_hz=24_000, voices=(VIETNAMESE,))


class Recorder:
    """An engine that keeps what it is asked to say."""

    def __init__(self) -> None:
        self.asked: list[Utterance] = []

    def load(self, progress: OnLoad) -> EngineInfo:
        del progress
        return INFO

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        del cancelled
        self.asked.append(utterance)
        return iter(())

    def memory(self) -> EngineMemory:
        return EngineMemory()


def asked(job: Speak, info: EngineInfo = INFO) -> Utterance:
    """What an engine gets for a job."""
    engine = Recorder()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        list(Worker(Channel(ours), Watermarking())._samples(engine, info, job))
    return engine.asked[0]


def test_an_engine_gets_words() -> None:
    job = Speak(job=1, text="P.Khách 26,5°C!", voice=VIETNAMESE)
    assert asked(job).text == "phòng khách hai mươi sáu phẩy năm độ xê!"


def test_the_language_is_that_of_the_voice() -> None:
    job = Speak(job=1, text="It is 26°C.", voice=ENGLISH)
    assert asked(job).text == "It is 26 degrees Celsius."


def test_a_clip_without_a_voice_speaks_vietnamese() -> None:
    job = Speak(job=1, text="26°C", voice=None, reference=CLIP)
    assert asked(job).text == "hai mươi sáu độ xê"


def test_the_next_sentences_are_prepared_up_to_one_that_cannot_be_spoken() -> None:
    job = Speak(job=1, text="a", voice=VIETNAMESE, upcoming=("25%.", "2 kg", "🎉", "5 V"))
    assert asked(job).upcoming == ("hai mươi lăm phần trăm.", "hai ki lô gam")


def test_emotions_are_left_to_an_engine_that_knows_them() -> None:
    job = Speak(job=1, text="Vui quá [cười]. Còn 5 phút", voice=VIETNAMESE)
    assert asked(job).text == "vui quá. còn năm phút"
    able = replace(INFO, emotions=True)
    assert asked(job, able).text == "vui quá [cười]. còn năm phút"


@pytest.mark.parametrize("text", ["🎉", "...", "[cười]", "`"])
def test_a_sentence_without_words_is_not_given_to_an_engine(text: str) -> None:
    with pytest.raises(EmptyTextError):
        asked(Speak(job=1, text=text, voice=VIETNAMESE))
