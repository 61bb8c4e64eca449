"""Requests to a Wyoming server: its voices, and the speech of one sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from vieneu_core.backends.wyoming.connection import Wait, WyomingConnection, WyomingTimeouts
from vieneu_core.backends.wyoming.description import Description
from vieneu_core.backends.wyoming.sentence_audio import SentenceAudio
from vieneu_core.credentials.wyoming_url import WyomingAddress
from vieneu_core.errors import (
    FirstByteTimeoutError,
    StreamStalledError,
    SynthesisFailedError,
    UnpronounceableError,
)
from vieneu_core.translatable import Translatable, shortened

_MAX_REASON_CHARS = 300


@dataclass(frozen=True, slots=True)
class WyomingClient:
    """Makes requests, each on a connection of its own, which ends with it."""

    address: WyomingAddress
    timeouts: WyomingTimeouts

    async def describe(self) -> Description:
        """Ask the server what it offers.

        Raises:
            ModelLoadError: it has no voice for Vietnamese or English.
            BackendError: it cannot be reached, or does not answer in the protocol.
        """
        wait = Wait(self.timeouts.describe_s, FirstByteTimeoutError)
        async with WyomingConnection.open(self.address, self.timeouts) as connection:
            await connection.send("describe")
            while True:  # events that it does not know are dropped, as the protocol demands
                event = await connection.read(wait)
                if event.type == "error":
                    raise _failed(event.data)
                if event.type == "info":
                    return await asyncio.to_thread(Description.of, event.data)

    async def speak(
        self, text: str, voice: str, audio: SentenceAudio
    ) -> AsyncGenerator[bytes, None]:
        """Have a sentence spoken; yield its samples. Closing it stops the server.

        Args:
            text: The sentence.
            voice: Name of the server's voice.
            audio: Checks and converts what comes.

        Raises:
            UnpronounceableError: the server says that it has no sounds for the sentence.
            BadAudioError: the audio cannot be the speech of the sentence.
            BackendError: the server failed, or is too slow.
        """
        wait = Wait(self.timeouts.first_audio_s, FirstByteTimeoutError)
        async with WyomingConnection.open(self.address, self.timeouts) as connection:
            await connection.send("synthesize", {"text": text, "voice": {"name": voice}})
            while True:
                event = await connection.read(wait)
                match event.type:
                    case "audio-start":
                        await audio.start(event.data)
                    case "audio-chunk":
                        if pcm := await audio.add(event.data, event.payload):
                            yield pcm
                        if event.payload:  # an event without audio gives no more time
                            wait = Wait(self.timeouts.stall_s, StreamStalledError)
                    case "audio-stop":
                        break
                    case "error":
                        raise _failed(event.data)
            if pcm := await audio.finish():
                yield pcm


def _failed(data: Mapping[str, Any]) -> SynthesisFailedError:
    """Return the error for the server's ``error`` event."""
    text, code = data.get("text"), data.get("code")
    kind = UnpronounceableError if code == UnpronounceableError.code else SynthesisFailedError
    detail = Translatable("The Wyoming server failed and gave no reason.")
    if isinstance(text, str) and text and text.isprintable():
        reason = shortened(text, _MAX_REASON_CHARS)
        detail = Translatable("The Wyoming server failed: {reason}", reason=reason)
    return kind(detail, remedy=Translatable("See the log of the Wyoming server."))
