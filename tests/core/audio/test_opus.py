"""Opus packet by packet: as long as it was, and as it sounded."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tones import heard_hz, in_parts, samples, tone

from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.audio.opus import OpusSentenceDecoder, OpusSentenceEncoder
from vieneu_core.errors import BadAudioError, BadResponseError

RATES_HZ = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]


def encode(pcm: bytes, sample_rate_hz: int, part_bytes: int = 6_002) -> tuple[list[bytes], int]:
    encoder = OpusSentenceEncoder(sample_rate_hz)
    packets = [p for part in in_parts(pcm, part_bytes) for p in encoder.encode(part)]
    return packets + encoder.finish(), encoder.pre_skip


def decode(packets: list[bytes], pre_skip: int, sample_rate_hz: int, n_samples: int) -> bytes:
    decoder = OpusSentenceDecoder(sample_rate_hz, pre_skip=pre_skip)
    parts = [decoder.decode(packets[at : at + 3]) for at in range(0, len(packets), 3)]
    return b"".join([*parts, decoder.finish(n_samples)])


@pytest.mark.parametrize("sample_rate_hz", RATES_HZ)
def test_a_round_trip_keeps_length_place_and_sound(sample_rate_hz: int) -> None:
    sent = tone(440, 1.37, sample_rate_hz)
    packets, pre_skip = encode(sent, sample_rate_hz)
    received = decode(packets, pre_skip, sample_rate_hz, len(sent) // 2)
    assert len(received) == len(sent)
    assert heard_hz(received, sample_rate_hz) == pytest.approx(440, abs=1)
    noise = samples(sent) - samples(received)
    snr_db = 10 * np.log10(np.sum(samples(sent) ** 2) / np.sum(noise**2))
    assert snr_db > 18  # a shift by one sample at 8 kHz would leave 9


@pytest.mark.parametrize("sample_rate_hz", RATES_HZ)
def test_every_length_comes_back_to_the_sample(sample_rate_hz: int) -> None:
    for n_samples in (1, 7, *range(sample_rate_hz // 50 - 1, sample_rate_hz // 12, 83)):
        sent = tone(300, n_samples / sample_rate_hz, sample_rate_hz)
        packets, pre_skip = encode(sent, sample_rate_hz)
        assert len(decode(packets, pre_skip, sample_rate_hz, n_samples)) == 2 * n_samples


def test_a_sentence_without_samples_has_no_packets() -> None:
    packets, pre_skip = encode(b"", 22_050)
    assert packets == []
    assert OpusSentenceEncoder(22_050).encode(b"") == []
    assert decode([], pre_skip, 22_050, 0) == b""


def test_packets_come_as_the_samples_come() -> None:
    encoder = OpusSentenceEncoder(22_050)
    packets = encoder.encode(tone(440, 0.5, 22_050))
    assert len(packets) >= 20
    decoder = OpusSentenceDecoder(22_050, pre_skip=encoder.pre_skip)
    assert len(decoder.decode(packets)) / 2 / 22_050 > 0.35


def test_speech_costs_a_sixteenth_of_its_samples() -> None:
    sent = tone(440, 10, 48_000)
    packets, _ = encode(sent, 48_000)
    assert sum(map(len, packets)) < len(sent) / 16


@pytest.mark.parametrize("error", [-5_000, 5_000])
def test_a_wrong_number_of_samples_is_found_out(error: int) -> None:
    sent = tone(440, 1, 24_000)
    packets, pre_skip = encode(sent, 24_000)
    with pytest.raises(BadResponseError, match="samples"):
        decode(packets, pre_skip, 24_000, 24_000 + error)


def test_a_lost_packet_is_found_out() -> None:
    packets, pre_skip = encode(tone(440, 1, 24_000), 24_000)
    del packets[10:12]
    with pytest.raises(BadResponseError):
        decode(packets, pre_skip, 24_000, 24_000)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_packets_that_are_not_opus_are_a_bad_response(packets: list[bytes]) -> None:
    try:
        pcm = decode(packets, 312, 24_000, 24_000)
    except BadResponseError:
        return
    assert len(pcm) == 48_000


def test_a_broken_packet_is_named() -> None:
    decoder = OpusSentenceDecoder(24_000, pre_skip=312)
    with pytest.raises(BadResponseError, match="not Opus"):
        decoder.decode([b"\xff\xff\xff\xff"])


def test_a_small_message_that_holds_hours_is_refused_before_they_are_decoded() -> None:
    decoder = OpusSentenceDecoder(24_000, pre_skip=312, longest_s=2.0)
    packets = [b"\x1b\x02"] * 262_000  # RFC 6716, 3.2.5: two empty frames of 60 ms
    n_decoded = 0
    real = decoder._decode

    def counted(packet: bytes) -> bytes:
        nonlocal n_decoded
        n_decoded += 1
        return real(packet)

    decoder._decode = counted  # type: ignore[method-assign]
    with pytest.raises(BadAudioError, match="longer than 2 s"):
        decoder.decode(packets)
    assert n_decoded < 1_000


def test_frames_and_files_hold_the_packets_of_the_chosen_complexity() -> None:
    noisy = np.random.default_rng(7).normal(0, 2_000, 24_000) + samples(tone(220, 1.0, 24_000))
    pcm = noisy.clip(-32_768, 32_767).astype("<i2").tobytes()

    packets, _ = encode(pcm, 24_000)
    file = Encoder(AudioFormat.OGG, 24_000)
    content = file.encode(pcm) + file.finish()
    with av.open(io.BytesIO(content), "r") as container:
        in_file = [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    assert in_file == packets
    assert packets == _packets(pcm, complexity=7)
    assert packets != _packets(pcm, complexity=10)


def _packets(pcm: bytes, *, complexity: int) -> list[bytes]:
    options = {"application": "audio", "compression_level": str(complexity)}
    encoder = OpusSentenceEncoder(24_000, options=options)
    return [*encoder.encode(pcm), *encoder.finish()]
