"""How long a sentence may be: as upstream limits it, in codes of 20 ms."""

from __future__ import annotations

import pytest

from vieneu_core.engines.speech_lm.limits import fewest_codes, length_of, most_codes
from vieneu_core.engines.speech_lm.model import CODES_PER_S, CodePrompt, ReferencePrompt, Sampling
from vieneu_core.text.phonemize import Phonemizer, count_syllables

VOICE = ReferencePrompt(phonemes="sˈin tʃˈaːw kˈaːɜk ɓˈaː6n.", codes=tuple(range(50)))
LONG = "hˈom nˈaj tʃˈəː2j ɗˈɛ6p kwˈaːɜ."

ROOM = 2048


def prompt(phonemes: str, voice: ReferencePrompt = VOICE) -> CodePrompt:
    return CodePrompt(phonemes=phonemes, reference=voice)


def longest(prompt: CodePrompt) -> int:
    return length_of(prompt).most


# Source: vieneu 3.8.3, core_utils.py: max_expected_frames, in frames of 0.08 s.
@pytest.mark.parametrize(
    ("text", "longest_s"),
    [
        ("ừ.", 13 * 0.08),
        ("xin chào.", 18 * 0.08),
        ("có ai không?", 23 * 0.08),
        ("mời bạn vào nhà.", 28 * 0.08),
    ],
)
def test_a_short_sentence_is_as_short_as_upstream_lets_it_be(text: str, longest_s: float) -> None:
    assert longest(prompt(Phonemizer()(text))) / CODES_PER_S == pytest.approx(longest_s)


def test_a_longer_sentence_may_have_24_frames_and_two_for_each_sound() -> None:
    assert longest(prompt(LONG)) == 4 * (24 + 2 * len(LONG))


def test_a_laugh_takes_its_time() -> None:
    assert longest(prompt("<|emotion_1|> ˈyə.")) == 4 * (24 + 2 * len(" ˈyə."))


def test_a_slow_voice_may_take_longer() -> None:
    slow = ReferencePrompt(phonemes=VOICE.phonemes, codes=tuple(range(9 * len(VOICE.phonemes))))

    usual = longest(prompt(LONG))
    assert longest(prompt(LONG, slow)) == pytest.approx(usual * 9 / 4.24, abs=1)


@pytest.mark.parametrize("n_codes_per_character", [1, 4, 8, 12, 40])
@pytest.mark.parametrize("phonemes", ["ˈyː2.", LONG, LONG * 5, "<|emotion_1|> ˈyə."])
def test_a_model_gives_up_after_its_caller(phonemes: str, n_codes_per_character: int) -> None:
    voice = ReferencePrompt(
        phonemes=VOICE.phonemes,
        codes=tuple(range(n_codes_per_character * len(VOICE.phonemes))),
    )

    assert most_codes(prompt(phonemes, voice)) > longest(prompt(phonemes, voice))


def test_what_has_been_made_counts() -> None:
    begun = CodePrompt(phonemes=LONG, reference=VOICE, begun=tuple(range(30)))

    assert most_codes(begun) == most_codes(prompt(LONG)) - 30
    assert fewest_codes(begun, Sampling(min_codes=50), ROOM) == 20


# Source: vieneu 3.8.3, v3_turbo_serve/engine.py: what it measured, the shortest of 0.08 s each.
@pytest.mark.parametrize(
    ("text", "shortest_s"),
    [
        ("ừ.", 6 * 0.08),
        ("có.", 6 * 0.08),
        ("xin chào.", 6 * 0.08),
        ("có ai không?", 12 * 0.08),
        ("mời bạn vào nhà.", 12 * 0.08),
    ],
)
@pytest.mark.parametrize("min_codes", [50, 1000])
def test_a_minimum_adds_no_noise_to_a_word(text: str, shortest_s: float, min_codes: int) -> None:
    spoken = prompt(Phonemizer()(text))

    assert 0 < fewest_codes(spoken, Sampling(min_codes=min_codes), ROOM) <= 50 * shortest_s


def test_a_minimum_is_for_whole_sentences() -> None:
    assert fewest_codes(prompt(LONG), Sampling(min_codes=50), ROOM) == 50
    assert fewest_codes(prompt(LONG), Sampling(), ROOM) == 0


def test_a_minimum_leaves_room_for_the_end() -> None:
    assert fewest_codes(prompt(LONG), Sampling(min_codes=50), 60) == 30
    assert fewest_codes(prompt(LONG), Sampling(min_codes=50), -1) == 0


def test_the_usual_length_is_between_the_limits() -> None:
    for phonemes in (LONG, LONG * 5, "kˈɔɜ ˈaːj xˈoŋ?"):
        length = length_of(prompt(phonemes))
        assert length.fewest < length.usual < length.most


# The English words are those of upstream's comments on its syllable_count, with its counts.
@pytest.mark.parametrize(
    ("phonemes", "n_syllables"),
    [
        ("kwˈaːɜ", 1),
        ("tʃˈəː2j ɗˈɛ6p", 2),
        ("ŋwˈiɛ5n.", 1),
        ("sˈækaɪ", 2),
        ("kɹiːˈeɪt", 2),
        ("ɹˈeɪdɪˌoʊ", 3),
        ("mm.", 1),
        ("...", 0),
    ],
)
def test_syllables_are_counted(phonemes: str, n_syllables: int) -> None:
    assert count_syllables(phonemes) == n_syllables
