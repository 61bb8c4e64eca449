"""Audio of one sentence from a Wyoming server: checked, and converted to mono 16-bit samples."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vieneu_core.audio.mixing import ChannelMixer
from vieneu_core.audio.pcm import MAX_RATE_HZ
from vieneu_core.audio.sanity_check import SpeechCheck, check_length
from vieneu_core.audio.tempo import TempoStretcher
from vieneu_core.errors import BadAudioError
from vieneu_core.translatable import Translatable

MAX_CHANNELS = 8
WIDTHS = (2, 3, 4)
"""Bytes per sample; 8 bits are too few for speech."""
LONGEST_BASE_S = 30.0
LONGEST_PER_CHAR_S = 2.0
"""Longest audio per character: a digit may be read as several words, each of half a second."""
UNKNOWN_RATE_HZ = 22_050
"""Of no samples, before the format is known; `stream` corrects it to the first known rate."""
_ON_LOOP_BYTES = 1 << 16
"""A larger payload is converted on a thread."""


@dataclass(frozen=True, slots=True)
class SampleFormat:
    """Format of the samples of one ``audio-start`` event."""

    rate_hz: int
    width: int
    """Bytes of one sample of one channel."""
    channels: int

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> SampleFormat:
        """Return the format in the data of an event.

        Raises:
            BadAudioError: it is none, or one that is not supported.
        """
        rate, width, channels = (data.get(name) for name in ("rate", "width", "channels"))
        if not (type(rate) is type(width) is type(channels) is int):
            raise BadAudioError("The Wyoming server does not name the format of its audio.")
        if not 0 < rate <= MAX_RATE_HZ or width not in WIDTHS or not 0 < channels <= MAX_CHANNELS:
            raise BadAudioError(
                Translatable(
                    "The Wyoming server's audio has {rate} Hz, {bits} bits and {channels} channels;"
                    " 16 to 32 bits and 1 to {most} channels are supported.",
                    rate=rate,
                    bits=8 * width,
                    channels=channels,
                    most=MAX_CHANNELS,
                )
            )
        return cls(rate, width, channels)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.width * self.channels

    def mono(self, frames: bytes, mixer: ChannelMixer) -> bytes:
        """Return whole frames as mono signed 16-bit little-endian samples."""
        if (self.width, self.channels) == (2, 1):
            return frames
        import numpy as np

        # Signed little-endian: the upper two bytes are the 16-bit sample.
        samples = np.frombuffer(frames, np.uint8).reshape(-1, self.width)[:, -2:]
        each = np.ascontiguousarray(samples).view("<i2").reshape(-1, self.channels)
        return mixer.push(each)


class SentenceAudio:
    """Takes the audio events of one sentence.

    Args:
        text: The sentence as the server got it.
        speed: Requested rate of speech; the protocol has none, so the audio is stretched here.
    """

    def __init__(self, text: str, *, speed: float) -> None:
        self._text = text
        self._speed = speed
        self._longest_s = LONGEST_BASE_S + LONGEST_PER_CHAR_S * len(text)
        self._received_s = 0.0
        self._format: SampleFormat | None = None
        self._mixer = ChannelMixer(1)
        self._check = SpeechCheck(text, speed=1.0, sample_rate_hz=UNKNOWN_RATE_HZ)
        self._stretcher = TempoStretcher(UNKNOWN_RATE_HZ, 1.0)
        self._rest = b""  # the beginning of a frame that the next payload completes

    @property
    def rate_hz(self) -> int | None:
        """Sample rate; None before it is known."""
        return None if self._format is None else self._format.rate_hz

    async def start(self, data: Mapping[str, Any]) -> SampleFormat:
        """Take the format in the data of an event; it is the same for the whole sentence.

        Raises:
            BadAudioError: the format is not supported, or changes.
        """
        found = SampleFormat.of(data)
        if self._format is None:
            self._format = found
            self._mixer = ChannelMixer(found.channels)
            # What the server speaks is checked, before it is stretched: it speaks at speed 1.
            self._check = SpeechCheck(self._text, speed=1.0, sample_rate_hz=found.rate_hz)
            self._stretcher = await asyncio.to_thread(TempoStretcher, found.rate_hz, self._speed)
        elif found != self._format:
            raise BadAudioError("The format of the Wyoming server's audio changes in a sentence.")
        return found

    async def add(self, data: Mapping[str, Any], payload: bytes) -> bytes:
        """Take an ``audio-chunk``; return its samples, mono signed 16-bit little-endian.

        Raises:
            BadAudioError: it cannot be a part of the sentence's speech.
        """
        form = await self.start(data)
        payload = self._rest + payload
        n_whole = len(payload) - len(payload) % form.frame_bytes
        frames, self._rest = payload[:n_whole], payload[n_whole:]
        self._received_s += n_whole / form.frame_bytes / form.rate_hz
        self._check_longest()
        if n_whole > _ON_LOOP_BYTES or self._speed != 1.0:
            return await asyncio.to_thread(self._converted, form, frames)
        return self._converted(form, frames)

    async def finish(self) -> bytes:
        """Check the whole sentence; return the samples that were kept back.

        Raises:
            BadAudioError: the audio is far too short for the text, silent, or cut in a sample.
        """
        if self._rest:
            raise BadAudioError("The Wyoming server's audio ends within a sample.")
        self._check.finish()
        return await asyncio.to_thread(self._stretcher.finish)

    def _converted(self, form: SampleFormat, frames: bytes) -> bytes:
        pcm = form.mono(frames, self._mixer)
        self._check.add(pcm)
        return self._stretcher.push(pcm)

    def _check_longest(self) -> None:
        check_length(self._received_s)
        if self._received_s > self._longest_s:
            raise BadAudioError(
                Translatable(
                    "{seconds:.0f} s of audio for a sentence of {n_chars} characters: far too long"
                    " to be its speech.",
                    seconds=self._received_s,
                    n_chars=len(self._text),
                )
            )
