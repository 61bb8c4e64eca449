"""Whatever is left of foreign words becomes Vietnamese syllables that sanotts can read."""

from __future__ import annotations

import itertools
import string

import pytest
from english_words import ENGLISH
from hypothesis import given
from hypothesis import strategies as st
from sanotts import vi_g2p

from vieneu_core.errors import SynthesisFailedError
from vieneu_core.text.rules.foreign_words import WORDS
from vieneu_core.text.syllables import ONSETS, RIMES, is_readable, with_tone
from vieneu_core.text.vietnamese_words import vietnamese_words, word_said

TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
SHORT = [
    "".join(each) for n in (1, 2) for each in itertools.product(string.ascii_lowercase, repeat=n)
]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Home Assistant", "hôm át sít tần"),
        ("WiFi", "oai phai"),
        ("mở app Zalo trên iPhone", "mở áp da lô trên ai phôn"),
        ("kitchen", "kít chen"),
        ("smart", "xờ mát"),
        ("game", "ghêm"),
        ("zone", "dôn"),
        ("karaoke", "ka ra ô kê"),
        ("radio", "ra di o"),
        ("ôtô", "ô tô"),
        ("tốt, được. không?", "tốt, được. không?"),
        ("không! lối; ra: vào", "không! lối, ra, vào"),
        ("f j w z", "ép di vê kép dét"),
        ("25", "hai mươi lăm"),
        ("0912", "không chín một hai"),
        ("30%", "ba mươi phần trăm"),
        ("-5,5", "âm năm phẩy năm"),
        ("net", "nét"),
        ("thuở nọ", "thuở nọ"),
        ("", ""),
    ],
)
def test_words_are_said_as_vietnamese_speakers_say_them(written: str, said: str) -> None:
    assert vietnamese_words(written) == said


def unread(word: str) -> list[str]:
    """Return the syllables of a word as it is said that sanotts would spell or leave out."""
    said = word_said(word).split()
    return [each for each in said if vi_g2p.syllable_to_ipa(each) is None] if said else ["nothing"]


def test_no_word_letter_or_pair_of_letters_is_lost() -> None:
    words = [*ENGLISH, *SHORT, *WORDS]

    assert len(words) > 1_000
    assert {word: unread(word) for word in words if unread(word)} == {}
    assert [word for word in words if not all(map(is_readable, word_said(word).split()))] == []


def test_the_sentence_has_a_sound_for_each_of_its_words() -> None:
    _, unreadable = vi_g2p.phonemize_to_espeak_ipa(vietnamese_words(" ".join((*ENGLISH, *SHORT))))

    assert unreadable == ""


def test_every_syllable_of_the_orthography_is_read() -> None:
    syllables = {
        with_tone(onset + rime, tone) if tone else onset + rime: rime
        for onset in ("", *ONSETS)
        for rime in sorted(RIMES)
        for tone in TONES
    }
    written = {each: rime for each, rime in syllables.items() if is_readable(each)}

    assert len(written) > 10_000
    unknown = {rime for each, rime in written.items() if vi_g2p.syllable_to_ipa(each) is None}
    assert unknown == {"uơ", "ooc", "oong"}, "the engine has a way for these"


@pytest.mark.parametrize("word", ["quên", "quạu", "quịt", "quới", "ngoém", "xềng", "thuỷ", "kạn"])
def test_syllables_are_said_as_they_are_written(word: str) -> None:
    assert word_said(word) == word
    assert vi_g2p.syllable_to_ipa(word) is not None


@pytest.mark.parametrize(
    ("word", "said"), [("legacy", "le ga xi"), ("money", "mo nây"), ("poem", "po em")]
)
def test_foreign_words_that_look_like_syllables_are_said_as_foreign(word: str, said: str) -> None:
    assert word_said(word) == said


@given(
    st.text(alphabet=string.ascii_letters + string.digits + " .,!?'-%/éñüßøæăâđêôơư", max_size=60)
)
def test_any_latin_text_becomes_syllables(text: str) -> None:
    said = vietnamese_words(text)

    assert all(map(is_readable, said.translate(dict.fromkeys(map(ord, ".,!?"), " ")).split()))
    assert bool(said) == any(char.isalnum() for char in text) or "%" in text or "/" in text


@pytest.mark.parametrize("text", ["привет", "a 你好 b", "سلام", "ไทย", "naï\u4e00ve"])
def test_other_scripts_are_an_error_and_are_not_left_out(text: str) -> None:
    with pytest.raises(SynthesisFailedError):
        vietnamese_words(text)
