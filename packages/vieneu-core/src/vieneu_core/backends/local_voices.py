"""Choice of the voice with which a local engine speaks a request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from vieneu_core.engines.base import EngineInfo
from vieneu_core.errors import CloningUnsupportedError
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice, choose_voice
from vieneu_core.voices.catalogue import VoiceCatalogue


@dataclass(frozen=True, slots=True)
class ChosenVoice:
    """The voice of one request."""

    voice: Voice | None
    """None if the request's own reference audio is the voice."""
    reference: ReferenceAudio | None = None
    """The clip to clone; None for one of the engine's own voices."""


class LocalVoices:
    """The voices of an engine and the custom voices.

    Args:
        added: Custom voices; None means none.
        default: Id of the voice for requests that name none; None means the engine's default.
    """

    def __init__(self, added: VoiceCatalogue | None, default: str | None) -> None:
        self._added = added
        self._default = default

    async def all(self, info: EngineInfo) -> tuple[Voice, ...]:
        """List the engine's voices, default first, then custom voices if the engine clones."""
        voices = info.voices
        if self._added is not None and info.clones:
            hidden = {voice.id for voice in voices}
            added = await asyncio.to_thread(self._added.voices)
            voices += tuple(voice for voice in added if voice.id not in hidden)
        return tuple(sorted(voices, key=lambda voice: voice.id != self._default))

    async def missing_default(self, info: EngineInfo) -> str | None:
        """Return the id of the default voice if there is no such voice, else None."""
        if self._default is None or await self._find(self._default, info) is not None:
            return None
        return self._default

    async def choose(self, request: SynthesisRequest, info: EngineInfo) -> ChosenVoice:
        """Choose the voice of a request; a missing default voice is ignored.

        Raises:
            VoiceNotFoundError: the requested voice does not exist.
            CloningUnsupportedError: the engine cannot clone the requested voice or clip.
        """
        if request.reference is not None:
            if not info.clones:
                raise CloningUnsupportedError(
                    Translatable(
                        "The engine {engine} cannot speak with reference audio.", engine=info.engine
                    )
                )
            return ChosenVoice(None, request.reference)
        wanted = request.voice or self._default
        found = await self._find(wanted, info) if wanted is not None else None
        if found is not None:
            return found
        if request.voice is not None:
            await self._refuse_added(request.voice, info)
        where = Translatable("The engine {engine}", engine=info.engine)
        voices = await self.all(info) if request.voice is not None else info.voices
        return ChosenVoice(choose_voice(voices, request.voice, request.language, where=where))

    async def _find(self, voice_id: str, info: EngineInfo) -> ChosenVoice | None:
        """Find a voice that the engine can speak with; its own voices take precedence."""
        own = next((voice for voice in info.voices if voice.id == voice_id), None)
        if own is not None:
            return ChosenVoice(own)
        if self._added is None or not info.clones:
            return None
        added = await asyncio.to_thread(self._added.get, voice_id)
        return ChosenVoice(added.voice, added.reference) if added is not None else None

    async def _refuse_added(self, voice_id: str, info: EngineInfo) -> None:
        if self._added is None or info.clones:
            return
        if await asyncio.to_thread(self._added.get, voice_id) is not None:
            raise CloningUnsupportedError(
                Translatable(
                    "The engine {engine} cannot speak with the added voice {voice_id!r}.",
                    engine=info.engine,
                    voice_id=voice_id,
                )
            )
