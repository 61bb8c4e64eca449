"""Clips from outside: the usable ones decoded, all others refused by one named error."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tones import heard_hz, samples, tone

from vieneu_core.audio.decode import decode_clip
from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.errors import ReferenceAudioError

KINDS = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "FLOAT"),
    ("WAV", "PCM_U8"),
    ("WAV", "ULAW"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


def file_of(
    kind: tuple[str, str], seconds: float = 1, rate: int = 24_000, channels: int = 1
) -> bytes:
    mono = samples(tone(440, seconds, rate)) / 32_768
    file = io.BytesIO()
    both = np.stack([mono] * channels, axis=1)
    soundfile.write(file, both, rate, format=kind[0], subtype=kind[1])
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("channels", [1, 2])
def test_the_usual_formats_are_decoded(kind: tuple[str, str], channels: int) -> None:
    clip = decode_clip(file_of(kind, channels=channels), max_seconds=3, min_seconds=0.9)
    assert clip.seconds == pytest.approx(1, abs=0.1)
    assert clip.sample_rate_hz == (48_000 if kind[1] == "OPUS" else 24_000)
    assert heard_hz(clip.pcm, clip.sample_rate_hz) == pytest.approx(440, abs=2)
    assert abs(samples(clip.pcm)).max() > 5_000


def test_samples_of_wav_are_untouched() -> None:
    assert decode_clip(file_of(("WAV", "PCM_16")), max_seconds=3).pcm == tone(440, 1, 24_000)


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_too_long_and_too_short_are_told(kind: tuple[str, str]) -> None:
    data = file_of(kind, seconds=2)
    with pytest.raises(ReferenceAudioError, match=r"longer than 1 s"):
        decode_clip(data, max_seconds=1)
    with pytest.raises(ReferenceAudioError, match=r"at least 3 s"):
        decode_clip(data, max_seconds=9, min_seconds=3)


def test_a_clip_of_exactly_the_longest_length_is_taken() -> None:
    clip = decode_clip(file_of(("WAV", "PCM_16"), seconds=1), max_seconds=1, min_seconds=1)
    assert clip.seconds == 1


def test_a_small_file_of_hours_is_refused_early() -> None:
    encoder = Encoder(AudioFormat.FLAC, 48_000)
    silence = bytes(2 * 48_000 * 60)
    data = b"".join([encoder.encode(silence) for _ in range(10)] + [encoder.finish()])
    assert len(data) < len(silence) * 10 / 500
    with pytest.raises(ReferenceAudioError, match="longer than 15 s"):
        decode_clip(data, max_seconds=15)


def test_a_small_file_of_many_channels_is_refused_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vieneu_core.audio.decode.MAX_DECODED_BYTES", 1 << 20)
    file = io.BytesIO()
    soundfile.write(file, np.zeros((48_000 * 9, 8)), 48_000, format="FLAC", subtype="PCM_16")
    assert len(file.getvalue()) < 1 << 16
    with pytest.raises(ReferenceAudioError, match="more than 1 MiB of samples"):
        decode_clip(file.getvalue(), max_seconds=600)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"hello",
        b"#EXTM3U\nhttp://localhost/a.wav",
        b"ffconcat version 1.0\nfile /etc/passwd",
        b"<html>not found</html>",
        b"\x00" * 1_000,
    ],
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ReferenceAudioError, match="not a WAV, FLAC, OGG or MP3"):
        decode_clip(data, max_seconds=15)


def wav(
    *, rate: int = 24_000, channels: int = 1, codec: int = 1, body: bytes = bytes(96_000)
) -> bytes:
    block = channels * 2
    header = struct.pack("<HHIIHH", codec, channels, rate, rate * block % 2**32, block, 16)
    chunks = (
        b"fmt " + struct.pack("<I", 16) + header + b"data" + struct.pack("<I", len(body)) + body
    )
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (wav(rate=4_000), "4000 Hz"),
        (wav(rate=2_000_000), "2000000 Hz"),
        (wav(channels=40), "channels"),
        (wav(codec=0x7777), "codec"),
        (wav(codec=0x0161), "broken|codec"),  # Windows Media
        (wav(codec=0x0002), "broken|codec"),  # ADPCM
        (wav(body=b""), "at least"),
        (b"OggS" + bytes(100), "broken|no audio|Hz"),
        (b"fLaC" + bytes(100), "broken|no audio|Hz"),
        (b"ID3" + bytes(100), "broken|no audio|Hz"),
        (b"RIFF\x00\x00\x00\x00WAVE", "broken|no audio"),
    ],
)
def test_headers_that_promise_too_much_or_nothing(data: bytes, reason: str) -> None:
    with pytest.raises(ReferenceAudioError, match=reason):
        decode_clip(data, max_seconds=15)


def test_a_clip_of_very_many_bytes_is_not_even_opened() -> None:
    with pytest.raises(ReferenceAudioError, match="64 MiB"):
        decode_clip(b"fLaC" + bytes(64 << 20), max_seconds=15)


WHOLE = {kind: file_of(kind, seconds=0.5) for kind in KINDS}


def only_the_named_error(data: bytes) -> None:
    try:
        clip = decode_clip(data, max_seconds=15)
    except ReferenceAudioError:
        return
    assert 0 < clip.seconds <= 15


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(KINDS), st.floats(0, 1))
def test_truncated_files_are_shorter_or_refused(kind: tuple[str, str], share: float) -> None:
    only_the_named_error(WHOLE[kind][: int(len(WHOLE[kind]) * share)])


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
    st.booleans(),
)
def test_damaged_files_are_refused_or_decoded(
    kind: tuple[str, str], damage: list[tuple[float, int]], early: bool
) -> None:
    data = bytearray(WHOLE[kind])
    reach = 200 if early else len(data)
    for share, value in damage:
        data[min(int(share * reach), len(data) - 1)] = value
    only_the_named_error(bytes(data))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([b"RIFF\xff\xff\xff\xffWAVEfmt ", b"fLaC", b"OggS", b"ID3", b"\xff\xfb"]),
    st.binary(),
)
def test_random_bytes_are_refused_or_decoded(magic: bytes, body: bytes) -> None:
    only_the_named_error(magic + body)


def channels_of(kind: tuple[str, str], *channels: NDArray[np.float64]) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.stack(channels, axis=1), 24_000, format=kind[0], subtype=kind[1])
    return file.getvalue()


SOUND = samples(tone(440, 1, 24_000)).astype(np.float64) / 32_768
SILENCE = np.zeros_like(SOUND)


@pytest.mark.parametrize("kind", [*KINDS[:4], ("FLAC", "PCM_16"), ("OGG", "VORBIS")], ids="-".join)
@pytest.mark.parametrize(
    "channels",
    [
        (SOUND, -SOUND),
        (-SOUND, SOUND),
        (SOUND, -0.9 * SOUND),
        (0.2 * SOUND, -0.21 * SOUND),
        (SOUND, -SOUND, SILENCE),
        (SOUND, -SOUND, SOUND, -SOUND),
    ],
)
def test_channels_that_cancel_each_other_out_are_heard(
    kind: tuple[str, str], channels: tuple[NDArray[np.float64], ...]
) -> None:
    clip = decode_clip(channels_of(kind, *channels), max_seconds=3)

    assert heard_hz(clip.pcm, clip.sample_rate_hz) == pytest.approx(440, abs=2)
    loudest = max(np.abs(channel).max() for channel in channels)
    assert np.abs(samples(clip.pcm)).max() == pytest.approx(loudest * 32_768, rel=0.1)


@pytest.mark.parametrize(
    "channels", [(SOUND, SILENCE), (SOUND, 0.5 * SOUND), (SOUND, -0.4 * SOUND), (SILENCE, SILENCE)]
)
def test_other_channels_are_mixed_as_ever(channels: tuple[NDArray[np.float64], ...]) -> None:
    clip = decode_clip(channels_of(("WAV", "PCM_16"), *channels), max_seconds=3)

    mixed = np.mean(channels, axis=0) * 32_768
    assert np.abs(samples(clip.pcm) - mixed).max() <= 2


@pytest.mark.parametrize("n_channels", range(1, 9))
def test_every_number_of_channels_is_decoded(n_channels: int) -> None:
    clip = decode_clip(channels_of(("WAV", "PCM_16"), *[SOUND] * n_channels), max_seconds=3)

    assert heard_hz(clip.pcm, clip.sample_rate_hz) == pytest.approx(440, abs=2)
