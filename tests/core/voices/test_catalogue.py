"""Voices that were added: kept whole, and found again."""

from __future__ import annotations

import logging
import stat
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from voice_clips import clip

from vieneu_core.errors import InvalidRequestError, VoiceNotFoundError
from vieneu_core.voices import Voice
from vieneu_core.voices.catalogue import VoiceCatalogue, voice_id_of


def test_a_voice_is_found_again_as_it_was(catalogue: VoiceCatalogue, folder: Path) -> None:
    catalogue.add("Bà  Ngoại", clip())

    found = VoiceCatalogue(folder).get("ba-ngoai")

    assert found is not None
    assert found.voice == Voice(id="ba-ngoai", name="Bà Ngoại", language="vi")
    assert found.reference == clip()


def test_only_the_owner_can_read_it(catalogue: VoiceCatalogue, folder: Path) -> None:
    catalogue.add("Ba", clip())

    assert stat.S_IMODE((folder / "ba").stat().st_mode) == 0o700
    assert {stat.S_IMODE(f.stat().st_mode) for f in (folder / "ba").iterdir()} == {0o600}
    assert [path.name for path in folder.iterdir()] == ["ba"], "no draft is left behind"


def test_what_another_process_does_is_seen(catalogue: VoiceCatalogue, folder: Path) -> None:
    other = VoiceCatalogue(folder)
    assert catalogue.voices() == ()
    other.add("Má", clip())
    assert [voice.id for voice in catalogue.voices()] == ["ma"]
    other.remove("ma")
    assert catalogue.voices() == ()
    assert catalogue.get("ma") is None
    other.add("Má", clip(5))
    found = catalogue.get("ma")
    assert found is not None
    assert found.reference == clip(5)


def test_they_are_listed_by_name(catalogue: VoiceCatalogue) -> None:
    for name in ("Xuân", "An", "minh"):
        catalogue.add(name, clip())

    assert [voice.name for voice in catalogue.voices()] == ["An", "minh", "Xuân"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b", "漢字", "😀"])
def test_a_name_that_cannot_be_used_is_refused(catalogue: VoiceCatalogue, name: str) -> None:
    with pytest.raises(InvalidRequestError):
        catalogue.add(name, clip())


def test_a_name_that_is_taken_is_refused_with_what_to_do(catalogue: VoiceCatalogue) -> None:
    catalogue.add("Bà Ngoại", clip())

    with pytest.raises(InvalidRequestError) as caught:
        catalogue.add("bà ngoại", clip(1))
    assert "vieneu voices remove ba-ngoai" in caught.value.remedy
    found = catalogue.get("ba-ngoai")
    assert found is not None
    assert found.reference == clip()


def test_another_language_is_refused(catalogue: VoiceCatalogue) -> None:
    with pytest.raises(InvalidRequestError, match="vi, en"):
        catalogue.add("Ba", clip(), language="fr")


@pytest.mark.parametrize("voice_id", ["nobody", "../voices", "", "."])
def test_removing_what_is_not_there_is_an_error_that_lists_what_is(
    catalogue: VoiceCatalogue, voice_id: str
) -> None:
    catalogue.add("An", clip())

    with pytest.raises(VoiceNotFoundError, match="Added: an"):
        catalogue.remove(voice_id)
    assert catalogue.voices()


@pytest.mark.parametrize("damage", ["json", "clip", "missing", "type"])
def test_a_damaged_voice_hides_no_other_and_can_be_removed(
    catalogue: VoiceCatalogue, folder: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    for name in ("An", "Bình"):
        catalogue.add(name, clip())
    about, audio = folder / "an" / "voice.json", folder / "an" / "reference.flac"
    match damage:
        case "json":
            about.write_text("{")
        case "clip":
            audio.write_bytes(b"fLaC broken")
        case "missing":
            audio.unlink()
        case "type":
            about.write_text('["a"]')

    with caplog.at_level(logging.WARNING):
        assert [voice.id for voice in VoiceCatalogue(folder).voices()] == ["binh"]
    assert "an is damaged" in caplog.text
    VoiceCatalogue(folder).remove("an")
    assert not (folder / "an").exists()


def test_a_draft_that_a_crash_left_is_no_voice(catalogue: VoiceCatalogue, folder: Path) -> None:
    catalogue.add("An", clip())
    (folder / "an").rename(folder / ".draft-1")

    assert catalogue.voices() == ()
    assert catalogue.get(".draft-1") is None
    with pytest.raises(VoiceNotFoundError, match="Added: none"):
        catalogue.remove(".draft-1")


def test_what_blocks_a_name_can_be_removed(catalogue: VoiceCatalogue, folder: Path) -> None:
    (folder / "an").mkdir(parents=True)
    (folder / "an" / "reference.flac").write_bytes(b"")

    with pytest.raises(InvalidRequestError, match="already") as caught:
        catalogue.add("An", clip())
    assert "vieneu voices remove an" in caught.value.remedy
    catalogue.remove("an")
    assert catalogue.add("An", clip()).voice.id == "an"


def test_of_many_who_add_one_name_at_once_one_succeeds(folder: Path) -> None:
    def add(seed: int) -> bool:
        try:
            VoiceCatalogue(folder).add("An", clip(seed))
        except InvalidRequestError as error:
            reported.append(error.detail)
            return False
        return True

    reported: list[str] = []
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(add, range(8)))

    assert reported == ["There is a voice 'an' already."] * 7
    found = VoiceCatalogue(folder).get("an")
    assert found is not None
    assert found.reference == clip(won.index(True))
    assert [path.name for path in folder.iterdir()] == ["an"], "no draft is left behind"


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InvalidRequestError, match="cannot be kept"):
        VoiceCatalogue(tmp_path / "file" / "voices").add("An", clip())


@pytest.mark.parametrize(
    ("name", "voice_id"),
    [("Đỗ Văn Đức", "do-van-duc"), ("Miss 1", "miss-1"), ("  A--b ", "a-b"), ("Ưu Ơi", "uu-oi")],
)
def test_an_id_is_the_name_in_plain_letters(name: str, voice_id: str) -> None:
    assert voice_id_of(name) == voice_id


TONES = ("Ba", "Bà", "Bá", "Bả", "Bã", "Bạ", "Bă", "Bâ")


def test_names_that_differ_in_their_tones_are_voices_of_their_own(folder: Path) -> None:
    catalogue = VoiceCatalogue(folder)

    added = [catalogue.add(name, clip(seed)) for seed, name in enumerate(TONES)]

    assert len({each.voice.id for each in added}) == len(TONES)
    assert added[0].voice.id == "ba"
    for seed, (name, each) in enumerate(zip(TONES, added, strict=True)):
        found = VoiceCatalogue(folder).get(each.voice.id)
        assert found is not None
        assert (found.voice.name, found.reference) == (name, clip(seed))


@pytest.mark.parametrize("first", ["NFC", "NFD"])
@pytest.mark.parametrize("name", ["Bà", "Đỗ Mười", "  Bà   Ngoại ", "BÀ"])
def test_one_name_in_two_forms_of_unicode_is_one_voice(
    folder: Path, name: str, first: Literal["NFC", "NFD"]
) -> None:
    catalogue = VoiceCatalogue(folder)
    catalogue.add("Ba", clip())
    catalogue.add(unicodedata.normalize(first, name), clip(1))

    for form in ("NFC", "NFD"):
        with pytest.raises(InvalidRequestError, match="already"):
            catalogue.add(unicodedata.normalize(form, name.lower()), clip(2))


def test_a_name_whose_number_is_taken_gets_the_next_one(folder: Path) -> None:
    catalogue = VoiceCatalogue(folder)

    ids = [catalogue.add(name, clip()).voice.id for name in ("Ba", "Ba 2", "Bà", "Bà 2")]

    assert len(set(ids)) == 4
    assert ids[:2] == ["ba", "ba-2"]


def test_a_damaged_voice_keeps_its_id(folder: Path) -> None:
    catalogue = VoiceCatalogue(folder)
    catalogue.add("Ba", clip())
    (folder / "ba" / "voice.json").write_text("{", "utf-8")

    with pytest.raises(InvalidRequestError, match="'ba' already"):
        catalogue.add("Bà", clip())
