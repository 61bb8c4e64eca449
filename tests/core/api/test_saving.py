"""Speech into files: by `Speech.save`, by `Speech.wav`, and straight from a stream."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import av
import pytest
import soundfile
from tone_engine import expected, heard, same
from tones import tone

from vieneu_core import (
    AudioChunk,
    AudioFormat,
    LocalBackend,
    Router,
    ScriptedBackend,
    Speaker,
    Speech,
    SynthesisRequest,
    collect,
    encode_stream,
    synthesize,
    write_file,
)
from vieneu_core.audio.decode import decode_clip
from vieneu_core.errors import (
    BadAudioError,
    InvalidRequestError,
    StreamInterruptedError,
    WorkerDiedError,
)
from vieneu_core.testing.scripted import ScriptStep

RATE = 24_000
SPEAKER = Speaker(backend="local", engine="espeak", voice="vi-north")
CHUNK = AudioChunk(b"\1\0" * 100, 8_000, 0, SPEAKER, final=True)


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def spoken(seconds: float = 1.0) -> Speech:
    return Speech((AudioChunk(tone(440, seconds, RATE), RATE, 0, SPEAKER, final=True),))


@pytest.mark.parametrize("fmt", [fmt for fmt in AudioFormat if fmt is not AudioFormat.AAC])
@pytest.mark.parametrize("kind", [str, Path], ids=["str", "path"])
async def test_the_suffix_decides_the_format(
    fmt: AudioFormat, kind: type[str | Path], tmp_path: Path
) -> None:
    await spoken().save(kind(tmp_path / f"a.{fmt}"))

    info = soundfile.info(str(tmp_path / f"a.{fmt}"))
    assert info.duration == pytest.approx(1, abs=0.001)
    assert info.format.lower() == fmt


async def test_aac_is_saved_too(tmp_path: Path) -> None:
    await spoken().save(tmp_path / "a.aac")

    with av.open(tmp_path / "a.aac") as saved:
        assert saved.format.name == "aac"
        frames = list(saved.decode(audio=0))
    seconds = sum(frame.samples for frame in frames) / frames[0].sample_rate
    assert seconds == pytest.approx(1, abs=0.15)  # ADTS cannot state the encoder's delay


@pytest.mark.parametrize("fmt", ["flac", AudioFormat.FLAC])
async def test_the_second_argument_names_the_format_where_the_suffix_does_not(
    fmt: str, tmp_path: Path
) -> None:
    await spoken().save(tmp_path / "chime", fmt)

    assert soundfile.info(str(tmp_path / "chime")).format == "FLAC"


async def test_an_unknown_suffix_or_format_lists_those_that_there_are(tmp_path: Path) -> None:
    for path, fmt in (("a.amr", None), ("a", None), ("a.wav.", None), ("a.wav", "amr")):
        with pytest.raises(InvalidRequestError) as caught:
            await spoken().save(tmp_path / path, fmt)
        assert all(known in str(caught.value) for known in AudioFormat)
    assert names_in(tmp_path) == []


def test_wav_is_the_whole_speech() -> None:
    speech = Speech((CHUNK, replace(CHUNK, sentence=1)))

    with wave.open(io.BytesIO(speech.wav())) as file:
        assert file.getparams()[:3] == (1, 2, 8_000)
        assert file.readframes(10_000) == speech.pcm


def test_chunks_of_two_rates_are_no_speech() -> None:
    with pytest.raises(BadAudioError, match="sample rates"):
        Speech((CHUNK, replace(CHUNK, sample_rate_hz=16_000)))


def test_printing_speech_does_not_print_its_samples() -> None:
    assert len(repr(spoken(60))) < 100
    assert len(repr(spoken(60).chunks)) < 500


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
async def test_a_file_that_is_replaced_keeps_its_permissions(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"older")
    path.chmod(mode)

    await spoken().save(path)

    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert soundfile.info(str(path)).duration == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_a_file_that_root_replaces_keeps_its_owner(tmp_path: Path) -> None:
    path, link = tmp_path / "a.wav", tmp_path / "b.wav"
    path.write_bytes(b"older")
    os.chown(path, 1234, 5678)
    path.chmod(0o640)
    link.symlink_to(path)

    await spoken().save(link)

    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 5678, 0o640)
    assert link.is_symlink()


async def test_a_new_file_has_the_permissions_that_the_user_gives_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        await spoken().save(tmp_path / "a.wav")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "a.wav").stat().st_mode) == 0o640


async def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    for path in (
        tmp_path / "none" / "a.wav",
        tmp_path / ("x" * 300 + ".wav"),
        tmp_path / "loop.wav" / "a.wav",
        "/proc/a.wav",
        "/dev/full",
        "",
        "a\0.wav",
    ):
        with pytest.raises(InvalidRequestError):
            await spoken().save(path, "wav")
    assert names_in(tmp_path) == ["loop.wav"]


async def test_the_event_loop_goes_on_while_minutes_are_encoded(tmp_path: Path) -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    await spoken(120).save(tmp_path / "a.mp3")
    heart.cancel()

    assert beats > 10, "the loop went on"
    assert soundfile.info(str(tmp_path / "a.mp3")).duration == pytest.approx(120, abs=0.1)


async def test_saving_that_is_cancelled_leaves_no_file(tmp_path: Path) -> None:
    saving = asyncio.create_task(spoken(60).save(tmp_path / "a.mp3"))
    await asyncio.sleep(0.02)
    saving.cancel()
    await asyncio.gather(saving, return_exceptions=True)

    assert names_in(tmp_path) in ([], ["a.mp3"]), "whole or not at all"


async def test_a_sentence_that_began_anew_is_in_the_file_once(tmp_path: Path) -> None:
    broken = ScriptedBackend([ScriptStep(after_chunks=3, error=WorkerDiedError("It died."))])
    texts = ("Đây là câu 1 trong bài.", "Còn đây là câu 2 trong bài.")
    async with Router(local=broken, last_resort=ScriptedBackend()) as router:
        await write_file(router.stream(SynthesisRequest(text=texts)), tmp_path / "a.wav")

    clip = decode_clip((tmp_path / "a.wav").read_bytes(), max_seconds=60)
    assert same(heard(clip.pcm, clip.sample_rate_hz), [expected(text) for text in texts])


async def test_a_stream_is_written_while_one_sentence_is_held(tmp_path: Path) -> None:
    n_alive = most_alive = 0

    class Counted(bytes):
        def __init__(self, *_: object) -> None:
            nonlocal n_alive, most_alive
            n_alive += 1
            most_alive = max(most_alive, n_alive)

        def __del__(self) -> None:
            nonlocal n_alive
            n_alive -= 1

    async def long() -> AsyncIterator[AudioChunk]:
        for sentence in range(200):
            for part in range(5):
                pcm = Counted(tone(440, 0.1, RATE))
                yield AudioChunk(pcm, RATE, sentence, SPEAKER, final=part == 4)

    await write_file(long(), tmp_path / "a.ogg")

    assert soundfile.info(str(tmp_path / "a.ogg")).duration == pytest.approx(100, abs=0.1)
    assert most_alive <= 12, "of 1000 chunks"


async def test_a_stream_that_breaks_off_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"older")
    broken = ScriptedBackend([ScriptStep(at_sentence=1, error=WorkerDiedError("It died."))])
    async with broken:
        with pytest.raises(WorkerDiedError):
            await write_file(broken.stream(SynthesisRequest(text=("Một.", "Hai."))), path)
    assert path.read_bytes() == b"older"
    assert len(names_in(tmp_path)) == 1


async def test_what_is_no_stream_is_named(tmp_path: Path) -> None:
    waiting = synthesize(ScriptedBackend(), "Xin chào.")
    for wrong, words in (
        (waiting, "a coroutine that was not awaited"),
        (ScriptedBackend().stream, "the function stream, not its result"),
        (spoken(), "of type Speech"),
        ([CHUNK], "of type list"),
    ):
        for call in (
            lambda wrong=wrong: write_file(wrong, tmp_path / "a.wav"),
            lambda wrong=wrong: collect(wrong),
            lambda wrong=wrong: anext(encode_stream(wrong, "wav")),
        ):
            with pytest.raises(InvalidRequestError, match=words):
                await call()
    waiting.close()
    assert names_in(tmp_path) == []


async def test_speech_without_an_end_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(StreamInterruptedError):
        await Speech((replace(CHUNK, final=False),)).save(tmp_path / "a.wav")
    assert names_in(tmp_path) == []


async def test_the_real_voice_is_saved(tmp_path: Path) -> None:
    async with LocalBackend("espeak") as backend:
        speech = await synthesize(backend, "Xin chào. Trời hôm nay đẹp.")
    await speech.save(str(tmp_path / "a.mp3"))

    assert soundfile.info(str(tmp_path / "a.mp3")).duration == pytest.approx(
        speech.seconds, abs=0.05
    )
