"""A sentence whose end comes too early or late is drawn again, and nobody hears the noise."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
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
from llama_library import LIBRARIES

from vieneu_core.engines.base import EngineMemory, Utterance
from vieneu_core.engines.gguf import create
from vieneu_core.engines.speech_lm.attempts import REDRAWN_CODES, SIGN_CODES, codes_of
from vieneu_core.engines.speech_lm.limits import length_of
from vieneu_core.engines.speech_lm.model import CodePrompt, PromptStyle, ReferencePrompt
from vieneu_core.errors import EndlessSentenceError, SynthesisFailedError, TextTooLongError
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
    return [code for code in codes_of(model, prompt, never) if code is not None]


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
    heard: list[int | None] = []

    with pytest.raises(EndlessSentenceError, match="did not end"):
        heard.extend(codes_of(model, WORD, never))
    assert set(heard) == {None}


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


@pytest.mark.parametrize("attempts", [1, 3])
@pytest.mark.parametrize("phonemes", [LONG.phonemes, LONG.phonemes * 4, "kˈɔɜ ˈaːj xˈoŋ?"])
def test_a_sentence_that_never_ends_ends_with_its_usual_length(
    phonemes: str, attempts: int, caplog: pytest.LogCaptureFixture
) -> None:
    model = Planned(ENDLESS, ENDLESS, ENDLESS)
    prompt = replace(LONG, phonemes=phonemes)

    codes = codes_of(model, prompt, never, attempts=attempts)

    heard = [code for code in codes if code is not None]
    assert heard == list(range(length_of(prompt).usual))
    assert "did not end" not in caplog.text
    assert caplog.messages[-1].endswith("its usual length was spoken.")


@pytest.mark.parametrize("phonemes", [WORD.phonemes, LONG.phonemes, LONG.phonemes * 4])
def test_there_is_a_sign_of_life_while_codes_are_kept_back(phonemes: str) -> None:
    model = Planned(ENDLESS, ENDLESS, ENDLESS)
    silences, made = [], 0

    with suppress(EndlessSentenceError):
        for _ in codes_of(model, replace(LONG, phonemes=phonemes), never):
            silences.append(model.n_made - made)
            made = model.n_made

    assert max(silences) <= SIGN_CODES
    assert model.n_made - made <= SIGN_CODES


@pytest.mark.parametrize("n_sentences", [1, 2, 4])
def test_after_the_usual_length_a_listener_does_not_wait_for_long(n_sentences: int) -> None:
    prompt = replace(LONG, phonemes=LONG.phonemes * n_sentences)
    model = Planned(ENDLESS, ENDLESS, ENDLESS)

    spoken(model, prompt)

    assert model.n_made == length_of(prompt).most + REDRAWN_CODES


def test_a_sentence_that_goes_on_without_end_after_it_ended_too_early_is_spoken() -> None:
    model = Planned(5, ENDLESS, ENDLESS)

    assert len(spoken(model, LONG)) == LENGTH.usual


class Limited(Planned):
    """A model that gives up after so many codes of all, as at the end of its context."""

    def __init__(self, most: int, *ends: int) -> None:
        super().__init__(*ends)
        self._most = most

    def codes(self, prompt: CodePrompt, cancelled: Callable[[], bool]) -> Iterator[int]:
        if len(prompt.begun) >= self._most:
            raise TextTooLongError("A sentence and its voice have too many tokens.")
        for code in super().codes(prompt, cancelled):
            if code % 1000 >= self._most:
                raise EndlessSentenceError("The model planned did not end a sentence.")
            yield code


def test_a_model_that_gives_up_first_is_asked_again() -> None:
    limit = LENGTH.usual + 20

    assert len(spoken(Limited(limit, ENDLESS, LENGTH.usual + 10), LONG)) == LENGTH.usual + 10
    assert len(spoken(Limited(limit, ENDLESS, ENDLESS, ENDLESS), LONG)) == LENGTH.usual
    assert spoken(Limited(40, ENDLESS, 30), WORD) == list(range(1000, 1030))


def test_a_sentence_that_is_cut_off_before_its_usual_length_is_an_error() -> None:
    with pytest.raises(EndlessSentenceError, match="did not end"):
        spoken(Limited(LENGTH.usual - 20, ENDLESS, ENDLESS, ENDLESS), LONG)


def test_a_sentence_that_does_not_fit_at_all_is_the_callers_fault() -> None:
    with pytest.raises(TextTooLongError):
        spoken(Limited(0, ENDLESS), LONG)


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


SLOW = ReferencePrompt(phonemes=AN.phonemes, codes=AN.codes * 4)


@pytest.mark.parametrize(
    ("voice", "n_context"), [(AN, 2048), (SLOW, 2048), (AN, 300), (AN, 400), (AN, 500)]
)
def test_a_real_model_that_gives_up_ends_with_the_usual_length(
    way: Way, tmp_path: Path, voice: ReferencePrompt, n_context: int
) -> None:
    """By its own limit, by that of its context, or stopped: no failure is heard."""
    way.write(tmp_path / "own", n_codes=512, codes_per_token=10_000)
    model = way.open(tmp_path / "own", replace(PLAIN, n_context=n_context))
    prompt = CodePrompt(phonemes=LONG.phonemes, reference=voice)

    assert len([code for code in codes_of(model, prompt, never) if code is not None]) == (
        length_of(prompt).usual
    )
    model.close()


def test_a_real_model_goes_on_with_what_has_been_made(way: Way, tmp_path: Path) -> None:
    way.write(tmp_path / "own", n_codes=512)
    model = way.open(tmp_path / "own", PLAIN)
    prompt = CodePrompt(phonemes=LONG.phonemes, reference=AN)
    whole = list(model.codes(prompt, never))

    rest = list(model.codes(replace(prompt, begun=tuple(whole[:10]), attempt=1), never))

    assert whole[:10] + rest == whole
    model.close()


@pytest.mark.parametrize("library", LIBRARIES)
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

    with pytest.raises(EndlessSentenceError, match="did not end"):
        heard.extend(engine.synthesize(Utterance(text="ừ.", voice=voice), never))
    assert set(heard) == {b""}, "signs of life"
    assert list(engine.synthesize(Utterance(text="xin chào.", voice=voice), never))
