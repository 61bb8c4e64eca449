"""The house's own voices on a server that does not have them: each is sent once a session."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable

from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice
from vieneu_core.voices.catalogue import CustomVoice, VoiceCatalogue
from vieneu_core.wire.schemas import VoiceUpload


class OwnVoices:
    """Knows which voices the server has.

    Args:
        catalogue: The voices that were added in this house.
        list_theirs: Asks the server for its voices.
        send: Sends a voice to the server.
    """

    def __init__(
        self,
        catalogue: VoiceCatalogue,
        *,
        list_theirs: Callable[[], Awaitable[tuple[Voice, ...]]],
        send: Callable[[VoiceUpload], Awaitable[object]],
    ) -> None:
        self._catalogue = catalogue
        self._list_theirs, self._send = list_theirs, send
        self._theirs: frozenset[str] | None = None
        self._sent: set[str] = set()
        self._sending = asyncio.Lock()

    def forget(self) -> None:
        """Take nothing for known any more: the session is another one."""
        self._theirs = None
        self._sent.clear()

    async def find(self, voice_id: str | None) -> OwnVoice | None:
        """Return the voice that has to be sent; None where the server has one of that id.

        Raises:
            BackendError: the server cannot be asked.
        """
        if voice_id is None:
            return None
        own = await asyncio.to_thread(self._catalogue.get, voice_id)
        if own is None:
            return None
        if self._theirs is None:
            self._theirs = frozenset(voice.id for voice in await self._list_theirs())
        return None if voice_id in self._theirs else OwnVoice(self, own)

    async def voices(self) -> tuple[Voice, ...]:
        """List the house's own voices."""
        return await asyncio.to_thread(self._catalogue.voices)

    async def ensure(self, own: CustomVoice) -> None:
        """Send a voice, unless the server got it in this session.

        Raises:
            CloningUnsupportedError: the server's engine has fixed voices.
            BackendError: it cannot be sent.
        """
        async with self._sending:
            if own.reference.content_id not in self._sent:
                await self._send(await asyncio.to_thread(_upload, own))
                self._sent.add(own.reference.content_id)

    def lost(self, own: CustomVoice) -> None:
        """State that the server no longer has a voice."""
        self._sent.discard(own.reference.content_id)


class OwnVoice:
    """One of them, that the server does not have by itself."""

    def __init__(self, own_voices: OwnVoices, voice: CustomVoice) -> None:
        self._own_voices = own_voices
        self.voice = voice

    async def ensure_sent(self) -> None:
        """Send it, unless the server got it in this session; see `OwnVoices.ensure`."""
        await self._own_voices.ensure(self.voice)

    def is_lost(self) -> None:
        """State that the server no longer has it."""
        self._own_voices.lost(self.voice)


def _upload(own: CustomVoice) -> VoiceUpload:
    return VoiceUpload(
        audio_base64=base64.b64encode(_flac(own.reference)).decode(),
        transcript=own.reference.transcript,
        name=own.voice.name,
        language=own.voice.language,
        id=own.reference.content_id,
    )


def _flac(reference: ReferenceAudio) -> bytes:
    encoder = Encoder(AudioFormat.FLAC, reference.sample_rate_hz)
    return encoder.encode(reference.pcm) + encoder.finish()
