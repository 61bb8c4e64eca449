"""A sentence whose end comes too early or late is drawn again, and nobody hears the noise."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from checkpoint.code_prompts import AN, PLAIN
from checkpoint.codec_graph import write_codec
from checkpoint.folder import ModelFolder
from checkpoint.gguf_model import write_gguf
from checkpoint.network import Training
from checkpoint.presets import VOICES
from checkpoint.ways import Way
from engine_calls import never, quiet
from llama_library import NEEDS_LLAMA_CPP

from vieneu_core.engines.base import EngineMemory, Utterance
from vieneu_core.engines.gguf import create
from vieneu_core.engines.speech_lm.attempts import codes_of
from vieneu_core.engines.speech_lm.limits import length_of
from vieneu_core.engines.speech_lm.model import CodePrompt, PromptStyle, ReferencePrompt
from vieneu_core.errors import SynthesisFailedError
from vieneu_core.models.catalogue import PromptFormat

VOICE = ReferencePrompt(phonemes="sˈin tʃˈaːw kˈaːɜk ɓˈaː6n.", codes=tuple(range(50)))
WORD = CodePrompt(phonemes="ˈyː2.", reference=VOICE)
LONG = CodePrompt(phonemes="hˈom nˈaj tʃˈəː2j ɗˈɛ6p kwˈaːɜ.", reference=VOICE)
LENGTH = length_of(LONG)
ENDLESS = 10_000


class Planned:
    """A model that ends where it was planned, in each attempt anew; its codes name the attempt."""

    def __init__(self, *ends: int) -> None:
        self._ends = list(ends)
        self.asked: list[CodePrompt] = []
        self.n_made = 0

    name, accelerator = "planned", None
    style, emotions = PromptStyle(format=PromptFormat.PLAIN), frozenset[str]()

    def codes(self, prompt: CodePrompt, cancelled: Callable[[], bool]) -> Iterator[int]:
        self.asked.append(prompt)
        attempt = len(self.asked) - 1
        for at in range(len(prompt.begun), self._ends[attempt]):
            if cancelled():
                return
            self.n_made += 1
            yield 1000 * attempt + at

    def prefetch(self, prompts: Sequence[CodePrompt]) -> None: ...

    def prefetch_next(self, abandoned: Callable[[], bool]) -> None: ...

    def memory(self) -> EngineMemory:
        return EngineMemory()

    def close(self) -> None: ...


def spoken(model: Planned, prompt: CodePrompt) -> list[int]:
    return list(codes_of(model, prompt, never))


def test_a_sentence_that_ends_in_time_is_drawn_once() -> None:
    model = Planned(60)

    assert spoken(model, LONG) == list(range(60))
    assert model.asked == [LONG]


def test_a_word_that_does_not_end_is_drawn_again_and_its_noise_is_not_heard() -> None:
    model = Planned(ENDLESS, 30)

    assert spoken(model, WORD) == list(range(1000, 1030))
    assert [asked.attempt for asked in model.asked] == [0, 1]
    assert model.n_made == 52 + 30, "it was stopped where upstream would stop it"


def test_a_word_that_ends_at_the_last_moment_is_drawn_again() -> None:
    assert spoken(Planned(50, 28), WORD) == list(range(1000, 1028))


def test_of_words_that_all_are_too_long_the_shortest_is_heard() -> None:
    assert len(spoken(Planned(51, 49, 50), WORD)) == 49


def test_a_word_that_never_ends_is_an_error_and_silence() -> None:
    model = Planned(ENDLESS, ENDLESS, ENDLESS)
    heard: list[int] = []

    with pytest.raises(SynthesisFailedError, match="did not end"):
        heard.extend(codes_of(model, WORD, never))
    assert heard == []


def test_a_word_that_ends_at_once_is_drawn_again() -> None:
    assert spoken(Planned(0, 3, 25), WORD) == list(range(2000, 2025))


def test_a_sentence_that_ends_too_early_goes_on_where_it_was() -> None:
    model = Planned(5, 60)

    assert spoken(model, LONG) == [*range(5), *range(1005, 1060)]
    assert model.asked[1] == replace(LONG, begun=(0, 1, 2, 3, 4), attempt=1)


def test_a_model_that_insists_on_its_end_is_believed() -> None:
    assert spoken(Planned(5, 5, 5), LONG) == [0, 1, 2, 3, 4]


def test_the_noise_behind_a_sentence_is_not_heard() -> None:
    model = Planned(ENDLESS, LENGTH.usual + 10)

    heard = spoken(model, LONG)

    assert heard[: LENGTH.usual] == list(range(LENGTH.usual))
    assert heard[LENGTH.usual :] == [1000 + LENGTH.usual + i for i in range(10)]


def test_a_sentence_is_heard_while_it_is_made() -> None:
    model = Planned(60)
    codes = codes_of(model, LONG, never)

    assert [next(codes) for _ in range(10)] == list(range(10))
    assert model.n_made == 10


def test_another_failure_is_not_drawn_again() -> None:
    class Broken(Planned):
        def codes(self, prompt: CodePrompt, cancelled: Callable[[], bool]) -> Iterator[int]:
            yield from super().codes(prompt, cancelled)
            raise SynthesisFailedError("The model's output is not made of numbers.")

    model = Broken(20, 20, 20)
    with pytest.raises(SynthesisFailedError, match="numbers"):
        spoken(model, LONG)
    assert len(model.asked) == 1


def test_a_cancelled_sentence_is_not_drawn_again() -> None:
    model = Planned(ENDLESS, 30)
    codes = codes_of(model, WORD, lambda: model.n_made >= 5)

    assert list(codes) == []
    assert len(model.asked) == 1


def test_it_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        spoken(Planned(0, 2, 3), WORD)

    (record,) = caplog.records
    assert record.getMessage() == "A sentence of planned ended after 0 codes, and is drawn again."


def test_a_real_model_goes_on_with_what_has_been_made(way: Way, tmp_path: Path) -> None:
    way.write(tmp_path / "own", n_codes=512)
    model = way.open(tmp_path / "own", PLAIN)
    prompt = CodePrompt(phonemes=LONG.phonemes, reference=AN)
    whole = list(model.codes(prompt, never))

    rest = list(model.codes(replace(prompt, begun=tuple(whole[:10]), attempt=1), never))

    assert whole[:10] + rest == whole
    model.close()


@pytest.mark.parametrize(
    "library", [pytest.param("llama-cpp-python", marks=NEEDS_LLAMA_CPP), "xllamacpp"]
)
def test_an_engine_is_silent_where_a_word_has_no_end(tmp_path: Path, library: str) -> None:
    """This network speaks for about 60 codes after 20 of a voice, whatever the text is."""
    folder = ModelFolder(tmp_path)
    write_gguf(folder.model, trained=Training(chat=False, emotion=False))
    write_codec(folder.codec, context=1)
    voices = {"default_voice": "An", "presets": {"An": {**VOICES["An"], "codes": [*range(20)]}}}
    (tmp_path / "voices.json").write_text(json.dumps(voices), "utf-8")
    engine = create(folder.options(library=library, temperature=1.0, seed=1))
    voice = engine.load(quiet).voices[0]
    heard: list[bytes] = []

    with pytest.raises(SynthesisFailedError, match="did not end"):
        heard.extend(engine.synthesize(Utterance(text="ừ.", voice=voice), never))
    assert heard == []
    assert list(engine.synthesize(Utterance(text="xin chào.", voice=voice), never))
