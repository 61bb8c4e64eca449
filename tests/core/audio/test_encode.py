"""Files and streams that others can play: bytes as they come, nothing half done."""

from __future__ import annotations

import asyncio
import errno
import io
import resource
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile
from player import played
from tones import chunk, heard_hz, in_parts, tone

from vieneu_core.audio.decode import decode_clip
from vieneu_core.audio.encode import AudioFormat, Encoder, encode_stream, format_of, pcm_stream
from vieneu_core.audio.file import write_file
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import (
    BadAudioError,
    InvalidRequestError,
    StreamInterruptedError,
    WorkerDiedError,
)

MAGIC = {
    AudioFormat.WAV: b"RIFF",
    AudioFormat.FLAC: b"fLaC",
    AudioFormat.OGG: b"OggS",
    AudioFormat.MP3: b"ID3",
    AudioFormat.AAC: b"\xff\xf1",
}
# MP3 cannot tell its padding where the header is gone before the end is known; ADTS never can.
EXTRA_S = {AudioFormat.MP3: 0.2, AudioFormat.AAC: 0.3}
SIZED = [fmt for fmt in AudioFormat if fmt is not AudioFormat.AAC]
"""Formats whose files state their length, and which voices may be cloned from."""


async def speech(
    seconds: float = 2, rate: int = 22_050, *, final: bool = True
) -> AsyncGenerator[AudioChunk, None]:
    for part in in_parts(tone(440, seconds, rate), 8_820):
        yield chunk(part, rate)
    if final:
        yield chunk(b"", rate, final=True)


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


async def broken_speech() -> AsyncIterator[AudioChunk]:
    yield chunk(tone(440, 1, 22_050), 22_050)
    raise WorkerDiedError("The worker died.")


async def two_rates() -> AsyncIterator[AudioChunk]:
    yield chunk(tone(440, 0.2, 22_050), 22_050)
    yield chunk(tone(440, 0.2, 24_000), 24_000, final=True)


@pytest.mark.parametrize("fmt", AudioFormat)
@pytest.mark.parametrize("rate", [8_000, 11_000, 22_050, 24_000, 44_100, 48_000])
async def test_a_stream_plays_as_the_tone_that_went_in(fmt: AudioFormat, rate: int) -> None:
    data = b"".join([part async for part in encode_stream(speech(rate=rate), fmt)])
    assert data.startswith(MAGIC[fmt])
    clip = played(data)
    assert clip.seconds == pytest.approx(2, abs=0.01 + EXTRA_S.get(fmt, 0))
    assert heard_hz(clip.pcm, clip.sample_rate_hz) == pytest.approx(440, abs=1)


@pytest.mark.parametrize("fmt", SIZED)
async def test_a_stream_is_read_by_other_libraries_too(fmt: AudioFormat) -> None:
    data = b"".join([part async for part in encode_stream(speech(), fmt)])
    clip = decode_clip(data, max_seconds=10)
    assert heard_hz(clip.pcm, clip.sample_rate_hz) == pytest.approx(440, abs=1)
    with soundfile.SoundFile(io.BytesIO(data)) as other_player:
        assert other_player.channels == 1


@pytest.mark.parametrize("fmt", AudioFormat)
async def test_bytes_come_while_the_next_chunk_is_withheld(fmt: AudioFormat) -> None:
    go_on = asyncio.Event()

    async def withheld() -> AsyncIterator[AudioChunk]:
        yield chunk(tone(440, 0.5, 22_050), 22_050)
        await go_on.wait()
        yield chunk(tone(440, 0.5, 22_050), 22_050, final=True)

    stream = encode_stream(withheld(), fmt)
    first = await asyncio.wait_for(anext(stream), 30)
    assert first.startswith(MAGIC[fmt])
    assert len(first) > 500, "a header alone is no audio"
    go_on.set()
    rest = b"".join([part async for part in stream])
    assert played(first + rest).seconds >= 1


@pytest.mark.parametrize("fmt", AudioFormat)
async def test_the_loop_runs_on_while_audio_is_encoded(fmt: AudioFormat) -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    before = beats
    async for _ in encode_stream(speech(), fmt):
        assert beats > before
        before = beats
    heart.cancel()


@pytest.mark.parametrize("fmt", AudioFormat)
def test_speech_without_samples_is_a_valid_end(fmt: AudioFormat) -> None:
    encoder = Encoder(fmt, 22_050)
    assert isinstance(encoder.encode(b"") + encoder.finish(), bytes)
    encoder.close()
    encoder.close()


@pytest.mark.parametrize("fmt", AudioFormat)
async def test_errors_of_the_speech_reach_the_listener(fmt: AudioFormat) -> None:
    stream = encode_stream(broken_speech(), fmt)
    assert await anext(stream)
    with pytest.raises(WorkerDiedError):
        await anext(stream)


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 48_000])
async def test_bare_samples_have_the_rate_that_is_asked_for(rate: int) -> None:
    parts = [part async for part in pcm_stream(speech(rate=rate), 24_000)]
    assert len(parts) > 3
    assert all(parts)
    assert len(b"".join(parts)) / 2 / 24_000 == pytest.approx(2, abs=0.002)
    assert heard_hz(b"".join(parts), 24_000) == pytest.approx(440, abs=1)


async def test_bare_samples_that_stop_early_have_no_clean_end() -> None:
    with pytest.raises(StreamInterruptedError):
        [_ async for _ in pcm_stream(speech(final=False), 24_000)]
    with pytest.raises(WorkerDiedError):
        [_ async for _ in pcm_stream(broken_speech(), 24_000)]


async def test_speech_that_stops_early_is_no_clean_end() -> None:
    with pytest.raises(StreamInterruptedError):
        [_ async for _ in encode_stream(speech(final=False), AudioFormat.WAV)]
    with pytest.raises(StreamInterruptedError):
        [_ async for _ in encode_stream(speech(0, final=False), AudioFormat.WAV)]


async def test_a_change_of_rate_is_refused() -> None:
    with pytest.raises(BadAudioError, match="22050 to 24000"):
        [_ async for _ in encode_stream(two_rates(), AudioFormat.WAV)]


async def test_closing_the_stream_closes_the_speech() -> None:
    closed = []

    async def watched() -> AsyncGenerator[AudioChunk, None]:
        try:
            while True:
                yield chunk(tone(440, 0.1, 22_050), 22_050)
        finally:
            closed.append(True)

    stream = encode_stream(watched(), AudioFormat.OGG)
    await anext(stream)
    await stream.aclose()
    assert closed == [True]


@pytest.mark.parametrize("fmt", SIZED)
async def test_a_file_states_its_length(fmt: AudioFormat, tmp_path: Path) -> None:
    path = tmp_path / f"chào.{fmt}"
    path.write_bytes(b"older")
    await write_file(speech(1.5), path)
    info = soundfile.info(str(path))
    assert info.duration == pytest.approx(1.5, abs=0.001)
    clip = decode_clip(path.read_bytes(), max_seconds=5)
    assert heard_hz(clip.pcm, clip.sample_rate_hz) == pytest.approx(440, abs=1)
    assert names_in(tmp_path) == [path.name]


async def test_a_file_without_a_length_is_whole_too(tmp_path: Path) -> None:
    path = tmp_path / "chào.aac"
    await write_file(speech(1.5), path)
    clip = played(path.read_bytes())
    assert clip.seconds == pytest.approx(1.5, abs=EXTRA_S[AudioFormat.AAC])
    assert heard_hz(clip.pcm, clip.sample_rate_hz) == pytest.approx(440, abs=1)
    assert names_in(tmp_path) == [path.name]


def test_the_suffix_tells_the_format() -> None:
    assert format_of(Path("a/b.OGG")) is AudioFormat.OGG
    assert format_of(Path("a.aac")) is AudioFormat.AAC
    assert format_of(Path("a.opus")) is AudioFormat.OGG
    for name in ("a.wma", "a"):
        with pytest.raises(InvalidRequestError, match=r"\.wav, \.flac, \.ogg, \.mp3, \.aac"):
            format_of(Path(name))


async def test_a_linked_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "out.wav"
    link.symlink_to(tmp_path / "real" / "out.wav")
    await write_file(speech(), link)
    assert link.is_symlink()
    assert soundfile.info(str(tmp_path / "real" / "out.wav")).duration == 2


async def test_an_error_of_the_speech_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    path.write_bytes(b"older")
    with pytest.raises(WorkerDiedError):
        await write_file(broken_speech(), path)
    assert path.read_bytes() == b"older"
    assert names_in(tmp_path) == [path.name]


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"none.out\.wav cannot be written: No such"):
        await write_file(speech(), tmp_path / "none" / "out.wav")


async def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="no ordinary file"):
        await write_file(speech(), tmp_path, AudioFormat.WAV)
    assert names_in(tmp_path) == []


async def test_a_folder_without_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(
        "vieneu_core.audio.file._WholeWrites", refuse
    )  # root, as in a container, may write all
    with pytest.raises(InvalidRequestError, match="Permission denied"):
        await write_file(speech(), tmp_path / "out.wav")


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("fmt", AudioFormat)
@pytest.mark.parametrize("room_bytes", [0, 6_000])
async def test_a_full_disk_leaves_no_half_a_file(
    fmt: AudioFormat, room_bytes: int, tmp_path: Path
) -> None:
    with files_of_at_most(room_bytes), pytest.raises(InvalidRequestError, match="too large"):
        await write_file(speech(10), tmp_path / f"out.{fmt}")
    assert names_in(tmp_path) == []


async def test_cancelling_leaves_no_half_a_file(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[AudioChunk]:
        while True:
            yield chunk(tone(440, 0.1, 22_050), 22_050, final=True)
            begun.set()

    writing = asyncio.create_task(write_file(endless(), tmp_path / "out.ogg"))
    await begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert names_in(tmp_path) == []


async def test_a_sentence_that_never_ends_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    second = tone(440, 1, 8_000)

    async def endless() -> AsyncIterator[AudioChunk]:
        while True:
            yield chunk(second, 8_000)

    with pytest.raises(BadAudioError, match="is longer than 900 s"):
        await write_file(endless(), tmp_path / "out.ogg")
    assert names_in(tmp_path) == []
