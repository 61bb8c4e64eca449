"""Voices that were added: kept whole, found again, spoken with."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import (
    CloningUnsupportedError,
    InvalidRequestError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest
from vieneu_core.voices import Voice
from vieneu_core.voices.catalogue import VoiceCatalogue, voice_id_of
from vieneu_core.voices.code_cache import CodesCache
from vieneu_core.worker.spec import EngineSpec


def clip(seed: int = 0) -> ReferenceAudio:
    pcm = np.random.default_rng(seed).integers(-5000, 5000, 16_000 * 4).astype("<i2").tobytes()
    return ReferenceAudio(pcm=pcm, sample_rate_hz=16_000, transcript="Xin chào các bạn.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "voices"


@pytest.fixture
def catalogue(folder: Path) -> VoiceCatalogue:
    return VoiceCatalogue(folder)


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
            told.append(error.detail)
            return False
        return True

    told: list[str] = []
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(add, range(8)))

    assert told == ["There is a voice 'an' already."] * 7
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


# --- spoken with ---------------------------------------------------------------------------


@pytest.fixture
async def backend(catalogue: VoiceCatalogue) -> AsyncIterator[LocalBackend]:
    spec = EngineSpec("tone_engine:create", {"clones": True})
    backend = LocalBackend(spec, voices=catalogue)
    await backend.load()
    yield backend
    await backend.aclose()


async def test_an_added_voice_speaks_at_once(
    backend: LocalBackend, catalogue: VoiceCatalogue
) -> None:
    before = await backend.voices()
    await asyncio.to_thread(catalogue.add, "Bà Ngoại", clip())

    speech = await synthesize(backend, SynthesisRequest(text="Đây là câu 3.", voice="ba-ngoai"))

    assert [s.voice for s in speech.speakers] == ["ba-ngoai"]
    assert (await backend.voices())[len(before) :] == (
        Voice(id="ba-ngoai", name="Bà Ngoại", language="vi"),
    )


async def test_a_voice_of_the_engine_goes_before_an_added_one(
    backend: LocalBackend, catalogue: VoiceCatalogue
) -> None:
    await asyncio.to_thread(catalogue.add, "vi low", clip())

    speech = await synthesize(backend, SynthesisRequest(text="Đây là câu 3.", voice="vi-low"))

    assert speech.speakers[0].voice == "vi-low"
    assert [voice.id for voice in await backend.voices()].count("vi-low") == 1


async def test_an_engine_that_cannot_clone_says_so(catalogue: VoiceCatalogue) -> None:
    await asyncio.to_thread(catalogue.add, "Bà Ngoại", clip())
    backend = LocalBackend("tone_engine:create", voices=catalogue)
    await backend.load()

    with pytest.raises(CloningUnsupportedError, match="ba-ngoai"):
        await synthesize(backend, SynthesisRequest(text="Đây là câu 3.", voice="ba-ngoai"))
    assert "ba-ngoai" not in [voice.id for voice in await backend.voices()]
    await backend.aclose()


# --- codes of clips ------------------------------------------------------------------------


@dataclass
class CountingEncoder:
    fingerprint: str = "one"
    heard: list[int] = field(default_factory=list)

    def encode(self, samples: NDArray[np.float32]) -> tuple[int, ...]:
        self.heard.append(len(samples))
        return (0, 65_535, len(self.heard))


def test_a_clip_is_encoded_once(tmp_path: Path) -> None:
    encoder = CountingEncoder()

    first = CodesCache(tmp_path).get_or_encode(clip(), encoder)
    again = CodesCache(tmp_path).get_or_encode(clip(), encoder)

    assert first == again == (0, 65_535, 1)
    assert encoder.heard == [16_000 * 4]


def test_another_clip_or_encoder_is_another_entry(tmp_path: Path) -> None:
    encoder, other = CountingEncoder(), CountingEncoder("two")
    cache = CodesCache(tmp_path)

    cache.get_or_encode(clip(), encoder)
    cache.get_or_encode(clip(1), encoder)
    cache.get_or_encode(clip(), other)

    assert (len(encoder.heard), len(other.heard)) == (2, 1)


@pytest.mark.parametrize("damage", [b"", b"VNC1", b"nonsense" * 9])
def test_damaged_codes_are_made_again(tmp_path: Path, damage: bytes) -> None:
    encoder, cache = CountingEncoder(), CodesCache(tmp_path)
    cache.get_or_encode(clip(), encoder)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"x" if damage == b"VNC1" else damage)

    assert cache.get_or_encode(clip(), encoder)[2] == 2


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    cache = CodesCache(tmp_path, most_kept=3)
    for seed in range(6):
        cache.get_or_encode(clip(seed), CountingEncoder())

    assert len(list(tmp_path.iterdir())) == 3


def test_the_one_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache, encoder = CodesCache(tmp_path, most_kept=2), CountingEncoder()
    cache.get_or_encode(clip(1), encoder)
    (first,) = tmp_path.iterdir()
    cache.get_or_encode(clip(2), encoder)
    (second,) = set(tmp_path.iterdir()) - {first}
    os.utime(first, (0, 0))
    os.utime(second, (1, 1))

    cache.get_or_encode(clip(1), encoder)
    cache.get_or_encode(clip(3), encoder)

    assert len(encoder.heard) == 3
    kept = set(tmp_path.iterdir())
    assert first in kept, "it was used just now"
    assert second not in kept


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    encoder = CountingEncoder()
    cache = CodesCache(tmp_path / "file" / "codes")

    cache.get_or_encode(clip(), encoder)
    cache.get_or_encode(clip(), encoder)

    assert len(encoder.heard) == 2
