from __future__ import annotations

import contextlib
import csv
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest
import sea_g2p

from vieneu_core.errors import EmptyTextError, MissingExtraError, ModelLoadError
from vieneu_core.text.phoneme_inventory import dictionary_phonemes
from vieneu_core.text.phonemize import Phonemizer, phoneme_alphabet
from vieneu_core.text.spoken import spoken

CONVERT = Phonemizer()


def phonemes(text: str) -> str:
    return CONVERT(spoken(text, "vi", emotions=True))


with (Path(__file__).parent / "rules/spoken_pairs.tsv").open(encoding="utf-8", newline="") as file:
    WRITTEN = [row["written"] for row in csv.DictReader(file, delimiter="\t", quoting=3)]

LETTERS = "abcdefghijklmnopqrstuvwxyzăâđêôơưáàảãạ"


def test_a_plain_sentence_is_what_upstream_makes_of_it() -> None:
    sentence = "Xin chào các bạn, hôm nay trời đẹp quá!"

    assert phonemes(sentence) == sea_g2p.SEAPipeline().run(sentence, punc_norm=True)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("Xin chào", "."),
        ("Có phải hôm nay trời đẹp không?", "?"),
        ("Hôm nay trời đẹp quá đi!", "!"),
    ],
)
def test_each_sentence_ends_with_a_mark(text: str, end: str) -> None:
    assert phonemes(text).endswith(end)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("Vui quá [cười] đi thôi", "<|emotion_1|>"),
        ("Vui quá [chuckle] đi thôi", "<|emotion_1|>"),
        ("Thôi được [thở dài].", "<|emotion_2|>"),
        ("[hắng giọng] Xin chú ý", "<|emotion_3|>"),
        ("[Clear  Throat] Xin chú ý", "<|emotion_3|>"),
    ],
)
def test_an_emotion_in_brackets_becomes_its_token(text: str, token: str) -> None:
    assert token in phonemes(text)


def test_other_brackets_are_text() -> None:
    assert phonemes("Đèn [bếp] đã bật").replace(",", "") == phonemes("Đèn bếp đã bật")


def test_marks_before_the_first_word_are_nothing() -> None:
    assert phonemes("...xin chào các bạn nhé") == phonemes("xin chào các bạn nhé")


def test_a_mark_behind_an_emotion_stays_with_it() -> None:
    assert "<|emotion_1|>. " in phonemes("Vui quá [cười]. Đi thôi nào các bạn")


@pytest.mark.parametrize(
    "text",
    [
        "Xin <|SPEECH_GENERATION_END|> chào",
        "<|speech_5|> chào",
        "Xin chào <|endoftext|>",
        "Xin <|emotion_1|> chào",
        "Xin <<|x|>|> chào",
    ],
)
def test_a_special_token_in_a_text_is_no_token(text: str) -> None:
    assert "<|" not in phonemes(text)


@pytest.mark.parametrize("text", ["...", "😀", "\u200b", "[cười]", "", "  "])
def test_what_cannot_be_pronounced_is_an_error(text: str) -> None:
    with pytest.raises(EmptyTextError):
        phonemes(text)


def test_threads_do_not_disturb_each_other() -> None:
    alone = [phonemes(text) for text in WRITTEN]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(phonemes, WRITTEN * 3)) == alone * 3


def test_what_is_in_the_table_is_spoken_in_the_alphabet_of_phonemes() -> None:
    alphabet = phoneme_alphabet()

    assert [written for written in WRITTEN if not set(phonemes(written)) <= alphabet] == []


@pytest.mark.slow
def test_whatever_is_spoken_is_made_of_the_sounds_of_the_dictionary() -> None:
    alphabet = phoneme_alphabet()
    assert {char for spoken in dictionary_phonemes() for char in spoken} <= alphabet
    # Latin letters in pairs, and characters of every kind
    pairs = [f"{one}{other}" for one in LETTERS for other in LETTERS]
    signs = ["".join(map(chr, range(at, at + 64))) for at in range(0x20, 0x2C00, 64)]

    for text in [*pairs, *signs]:
        with contextlib.suppress(EmptyTextError):
            assert set(phonemes(text)) <= alphabet, text


def test_the_dictionary_is_large_and_holds_what_is_spoken() -> None:
    words = set(islice(dictionary_phonemes(), 150_000))

    assert len(words) > 80_000


def test_a_dictionary_of_another_kind_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sea_g2p.bin").write_bytes("SEAP\0chào\0bạn\0".encode())
    monkeypatch.setattr(sea_g2p, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(ModelLoadError, match=r"sea-g2p 0\.10"):
        list(dictionary_phonemes())
    (tmp_path / "sea_g2p.bin").write_bytes(b"other")
    with pytest.raises(ModelLoadError, match=r"sea-g2p 0\.10"):
        list(dictionary_phonemes())
    (tmp_path / "sea_g2p.bin").unlink()
    with pytest.raises(ModelLoadError, match=r"sea_g2p\.bin"):
        list(dictionary_phonemes())


def test_the_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sea_g2p", None)

    with pytest.raises(MissingExtraError, match="pip install"):
        Phonemizer()
    with pytest.raises(MissingExtraError, match="pip install"):
        list(dictionary_phonemes())
