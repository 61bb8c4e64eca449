"""Upload of custom voices that the server lacks, each once per session."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable

from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice
from vieneu_core.voices.catalogue import CustomVoice, VoiceCatalogue
from vieneu_core.wire.schemas import VoiceUpload


class CustomVoices:
    """Tracks which voices the server has.

    Args:
        catalogue: Custom voices; None means none.
        list_theirs: Requests the server's voices.
        send: Uploads a voice to the server.
    """

    def __init__(
        self,
        catalogue: VoiceCatalogue | None,
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
        """Discard what is known of the server: a new session has begun."""
        self._theirs = None
        self._sent.clear()

    async def find(self, voice_id: str | None) -> CustomVoice | None:
        """Return the custom voice to upload; None if the server has a voice of that id.

        Raises:
            BackendError: the server's voices cannot be requested.
        """
        if self._catalogue is None or voice_id is None:
            return None
        own = await asyncio.to_thread(self._catalogue.get, voice_id)
        if own is None:
            return None
        if self._theirs is None:
            self._theirs = frozenset(voice.id for voice in await self._list_theirs())
        return None if voice_id in self._theirs else own

    async def voices(self) -> tuple[Voice, ...]:
        """List the custom voices."""
        if self._catalogue is None:
            return ()
        return await asyncio.to_thread(self._catalogue.voices)

    async def ensure(self, own: CustomVoice) -> None:
        """Upload a voice, unless this session's server has it.

        Raises:
            CloningUnsupportedError: the server's engine has fixed voices.
            BackendError: the upload failed.
        """
        async with self._sending:
            if own.reference.content_id not in self._sent:
                await self._send(await asyncio.to_thread(_upload, own))
                self._sent.add(own.reference.content_id)

    def lost(self, own: CustomVoice) -> None:
        """Record that the server no longer has a voice."""
        self._sent.discard(own.reference.content_id)


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
