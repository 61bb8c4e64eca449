"""Encoding and decoding of one sentence as raw Opus packets, which ``wire`` frames.

Opus (RFC 6716) supports only 8, 12, 16, 24 and 48 kHz; other rates are resampled on both sides.
The decoder always works at 48 kHz, in which ``pre_skip`` is counted too (RFC 7845, 4.2).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType

from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, frame_of, pcm_of
from vieneu_core.audio.resample import Resampler
from vieneu_core.audio.sanity_check import LONGEST_SENTENCE_S, too_long
from vieneu_core.errors import BadResponseError
from vieneu_core.translatable import Translatable

OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
DECODER_RATE_HZ = 48_000
OPUS_OPTIONS: Mapping[str, str] = MappingProxyType(
    {"application": "audio", "compression_level": "7"}
)
"""Of libopus in FFmpeg. Below this complexity it does not tell speech from music: a third of the
CPU time, for more bytes and a worse sound (benchmarks/README.md, Opus)."""
_PRE_SKIP = struct.Struct("<H")
_PRE_SKIP_AT = 10  # in the identification header, RFC 7845, 5.1
# The last packets contain padding; only the number of samples shows where speech ends.
_HELD_BACK_S = 0.08
_ROUNDING_S = 0.005  # of two resamplers


def codec_rate_hz(sample_rate_hz: int) -> int:
    """Return the lowest Opus rate that loses nothing of this rate."""
    return next((rate for rate in OPUS_RATES_HZ if rate >= sample_rate_hz), DECODER_RATE_HZ)


class OpusSentenceEncoder:
    """Encodes the mono signed 16-bit samples of one sentence, 20 ms a packet. Blocking."""

    def __init__(
        self,
        sample_rate_hz: int,
        *,
        bit_rate: int = 32_000,
        options: Mapping[str, str] = OPUS_OPTIONS,
    ) -> None:
        import av

        self._sample_rate_hz = sample_rate_hz
        self._codec = av.AudioCodecContext.create("libopus", "w")
        self._codec.sample_rate = codec_rate_hz(sample_rate_hz)
        self._codec.layout = "mono"
        self._codec.format = "s16"
        self._codec.bit_rate = bit_rate
        self._codec.options = dict(options)
        self._codec.open()
        self._n_in = 0
        self.pre_skip: int = _PRE_SKIP.unpack_from(self._codec.extradata or b"", _PRE_SKIP_AT)[0]
        """Samples at 48 kHz that the decoder drops at the start."""

    def encode(self, pcm: bytes) -> list[bytes]:
        """Return the packets that these samples complete."""
        if not pcm:
            return []
        frame = frame_of(pcm, self._sample_rate_hz, self._n_in)
        self._n_in += frame.samples
        return [bytes(packet) for packet in self._codec.encode(frame)]

    def finish(self) -> list[bytes]:
        """Return the remaining packets; none for a sentence without samples."""
        if not self._n_in:
            return []
        return [bytes(packet) for packet in self._codec.encode(None)]


class OpusSentenceDecoder:
    """Decodes the packets of one sentence to mono signed 16-bit samples. Blocking.

    Args:
        sample_rate_hz: Rate of the decoded samples.
        pre_skip: Samples at 48 kHz to drop at the start, as stated by the encoder.
        longest_s: Seconds of audio after which it cannot be one sentence: a packet of two bytes
            holds up to 0.12 s (RFC 6716, 3.2.5), so that a small message may hold hours.
    """

    def __init__(
        self, sample_rate_hz: int, *, pre_skip: int, longest_s: float = LONGEST_SENTENCE_S
    ) -> None:
        import av

        self._codec = av.AudioCodecContext.create("libopus", "r")
        self._codec.sample_rate = DECODER_RATE_HZ
        self._codec.layout = "mono"
        self._resampler = Resampler(DECODER_RATE_HZ, sample_rate_hz)
        self._skip_bytes = pre_skip * BYTES_PER_SAMPLE
        self._held_bytes = int(_HELD_BACK_S * sample_rate_hz) * BYTES_PER_SAMPLE
        self._rounding_bytes = int(_ROUNDING_S * sample_rate_hz) * BYTES_PER_SAMPLE
        self._tail = bytearray()
        self._out_bytes = 0
        self._longest_s = longest_s
        self._left_bytes = int(longest_s * DECODER_RATE_HZ) * BYTES_PER_SAMPLE

    def decode(self, packets: list[bytes]) -> bytes:
        """Return the samples that are certainly speech and not padding.

        Raises:
            BadResponseError: a packet is not Opus.
            BadAudioError: the packets hold more than one sentence can.
        """
        for packet in packets:
            pcm = self._decode(packet)
            self._left_bytes -= len(pcm)
            if self._left_bytes < 0:
                raise too_long(self._longest_s)
            self._tail += self._resampler.push(self._skip(pcm))
        return self._take(max(len(self._tail) - self._held_bytes, 0))

    def finish(self, n_samples: int) -> bytes:
        """Return the remaining samples, so that the sentence has ``n_samples`` in all.

        Raises:
            BadResponseError: the packets hold fewer samples, or more than their padding.
        """
        self._tail += self._resampler.finish()
        wanted = n_samples * BYTES_PER_SAMPLE - self._out_bytes
        missing = wanted - len(self._tail)
        if wanted < 0 or missing > self._rounding_bytes:
            n_held = (self._out_bytes + len(self._tail)) // BYTES_PER_SAMPLE
            raise BadResponseError(
                Translatable(
                    "The Opus packets of a sentence hold {n_held} samples, not {n_samples}.",
                    n_held=n_held,
                    n_samples=n_samples,
                )
            )
        self._tail += bytes(max(missing, 0))
        return self._take(wanted)

    def _decode(self, packet: bytes) -> bytes:
        import av

        try:
            return b"".join(map(pcm_of, self._codec.decode(av.Packet(packet))))
        except av.error.FFmpegError as err:
            raise BadResponseError("The audio stream holds a packet that is not Opus.") from err

    def _skip(self, pcm: bytes) -> bytes:
        skipped = min(self._skip_bytes, len(pcm))
        self._skip_bytes -= skipped
        return pcm[skipped:]

    def _take(self, n_bytes: int) -> bytes:
        taken = bytes(self._tail[:n_bytes])
        del self._tail[:n_bytes]
        self._out_bytes += n_bytes
        return taken
