"""`RemoteBackend`: a server behind a URL and a token, used as a `Backend`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Literal

import aiohttp
from pydantic import SecretStr

from vieneu_core.arguments import expect, expect_optional, one_of, refuse
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.backends.lifetime import Lifetime
from vieneu_core.backends.remote.connection import Connection, OnTraffic
from vieneu_core.backends.remote.handshake import (
    NEW_HOST_GRACE_S,
    health_of,
    health_of_new_host,
    refuse_unready,
)
from vieneu_core.backends.remote.json_client import JsonClient
from vieneu_core.backends.remote.request_plan import PlannedRequest, plan_requests
from vieneu_core.backends.remote.request_url import Endpoint
from vieneu_core.backends.remote.retry import RetryPolicy
from vieneu_core.backends.remote.speech_client import SpeechClient
from vieneu_core.backends.remote.stream_reader import Codec, load_libraries
from vieneu_core.backends.remote.timeouts import RemoteTimeouts
from vieneu_core.backends.remote.voice_upload import CustomVoices
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import (
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    BackendNotLoadedError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import SynthesisRequest, check_request
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice
from vieneu_core.voices.catalogue import CustomVoice, VoiceCatalogue
from vieneu_core.wire import routes
from vieneu_core.wire.schemas import HealthAnswer, VoiceBody, VoicesAnswer, VoiceUpload


class RemoteBackend(Backend):
    """Speaks over HTTP. Streams audio as it arrives; a truncated stream is always an error.

    Args:
        endpoint_url: URL of the server; ``http://`` only inside a home network.
        auth_token: The server's token; only ever sent in the Authorization header.
        session: A session to use, which is never closed; None opens an own one when it
            is needed. Certificates are verified as the session does, by default strictly.
        timeouts: Time limits.
        codec: ``opus``, or ``pcm``: 12 times the bytes at 24 kHz, without loss.
        name: As in `Speaker.backend`.
        clock: Clock for deadlines and for pauses between attempts.
        rng: Source of the jitter between attempts.
        on_traffic: Called after every HTTP request with (1, bytes both ways, roughly).
        retries: When and how often a request is retried.
        voices: Custom voices; uploaded when first needed, if the server's engine clones.

    Raises:
        ConfigurationError: the URL or the token cannot be used, or another argument is wrong.
    """

    def __init__(  # noqa: PLR0913 - everything it depends on is handed in, with a default
        self,
        endpoint_url: str,
        auth_token: SecretStr | str,
        *,
        session: aiohttp.ClientSession | None = None,
        timeouts: RemoteTimeouts = RemoteTimeouts(),  # noqa: B008 - frozen
        codec: Literal["opus", "pcm"] = "opus",
        name: str = "remote",
        clock: Clock = SystemClock(),  # noqa: B008 - has no state
        rng: random.Random | None = None,
        on_traffic: OnTraffic | None = None,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        voices: VoiceCatalogue | None = None,
    ) -> None:
        expect("name", name, str, "a string")
        expect("timeouts", timeouts, RemoteTimeouts, "RemoteTimeouts, such as RemoteTimeouts()")
        expect("retries", retries, RetryPolicy, "a RetryPolicy")
        expect("clock", clock, Clock, "a Clock")
        expect_optional("session", session, aiohttp.ClientSession, "an aiohttp.ClientSession")
        expect_optional("rng", rng, random.Random, "a random.Random")
        if on_traffic is not None and not callable(on_traffic):
            raise refuse("on_traffic", on_traffic, "a function of two numbers, or None")
        expect_optional("voices", voices, VoiceCatalogue, "a VoiceCatalogue")
        self._name = name
        self._lifetime = Lifetime(Translatable("The backend {name}", name=name), backend=name)
        self._timeouts = timeouts
        self._codec = one_of("codec", codec, Codec)
        self._clock = clock
        self._connection = Connection(
            Endpoint.of(endpoint_url, auth_token),
            session=session,
            timeouts=timeouts,
            clock=clock,
            backend=name,
            on_traffic=on_traffic,
        )
        self._json = JsonClient(
            self._connection, timeouts, backend=name, check_use=self._lifetime.use
        )
        self._speech = SpeechClient(
            self._connection,
            timeouts=timeouts,
            codec=self._codec,
            retries=retries,
            rng=rng or random.Random(),  # noqa: S311 - jitter, not a secret
            backend=name,
            require_loaded=self._require_loaded,
        )
        self._custom_voices = CustomVoices(
            voices, list_theirs=self._their_voices, send=self._send_voice
        )
        self._clones = False
        self._loaded = False
        self._unloaded = False
        """True after `unload`, until the next `load` begins."""
        self._loading = asyncio.Lock()
        self._first_load_at_s: float | None = None

    def __repr__(self) -> str:
        return f"RemoteBackend(name={self._name!r}, host={self._connection.host!r})"

    @property
    def name(self) -> str:
        """Short name, as in `Speaker.backend`."""
        return self._name

    async def load(self) -> None:
        """Connect to the server, and check that it accepts the token and is ready to speak.

        An unknown host name is retried for a minute from the first call, for a new tunnel.

        Raises:
            BackendError: the server cannot be used; the class states the reason.
        """
        self._lifetime.use()
        async with self._loading:
            if self._loaded:
                return
            self._lifetime.require_open()
            try:
                # Not at the first request: the import would delay it and block the event loop.
                await asyncio.to_thread(load_libraries, self._codec)
                await self._shake_hands()
            except BaseException:
                await self._connection.aclose()
                raise
            self._loaded = True

    async def unload(self) -> None:
        """Close the connections. Running streams raise an error."""
        self._lifetime.use()
        self._loaded, self._unloaded = False, True
        self._custom_voices.forget()
        await self._connection.aclose()

    async def aclose(self) -> None:
        """Unload permanently. A session that was passed in stays open."""
        self._lifetime.close()
        await self.unload()

    async def health(self) -> Health:
        """Request the server's health. Before `load`, a ready server counts as unloaded.

        Raises:
            BackendError: the server cannot be reached, or does not accept the token.
        """
        if self._lifetime.closed:
            return Health(state=BackendState.UNLOADED)
        health = await self._check_health()
        if health.ready and not self._loaded:
            return replace(health, state=BackendState.UNLOADED)
        return health

    async def voices(self) -> tuple[Voice, ...]:
        """Request the server's voices, the default one first.

        Raises:
            BackendError: the backend is not loaded, or the server cannot be reached.
        """
        theirs = await self._their_voices()
        if not self._clones:
            return theirs
        known = {voice.id for voice in theirs}
        own = await self._custom_voices.voices()
        return theirs + tuple(voice for voice in own if voice.id not in known)

    async def rotate_token(self) -> SecretStr:
        """Let the server generate a new token, use it from now on, and return it to be stored.

        The previous token stays valid for ten minutes, and may rotate until the new one is used, as
        this answer may get lost: send a request, such as `health`, once it is stored.

        Raises:
            BackendError: the server refused or failed; the current token is kept.
        """
        token = await self._json.new_token()
        self._connection.use_token(token)
        return token

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request; see `Backend.stream`.

        Raises:
            RequestError: the server rejects the request as invalid.
            BackendError: the server or the connection failed.
        """
        check_request(request)
        self._require_loaded()
        try:
            own = await self._custom_voice(request)
            if own is not None:
                request = replace(request, voice=own.reference.content_id)
            wanted = plan_requests(
                request, self._clock, first_audio_within_s=self._timeouts.first_audio_within_s
            )
            async with aclosing(wanted):
                async for planned in wanted:
                    speech = (
                        self._speech.speak(planned) if own is None else self._speak_as(own, planned)
                    )
                    async with aclosing(speech) as chunks:
                        async for chunk in chunks:
                            yield chunk
        except BackendError as err:
            err.backend = err.backend or self._name
            raise

    async def _custom_voice(self, request: SynthesisRequest) -> CustomVoice | None:
        """Find a custom voice that the server lacks, if the server accepts uploads."""
        if request.reference is not None or not self._clones:
            return None
        return await self._custom_voices.find(request.voice)

    async def _speak_as(
        self, own: CustomVoice, planned: PlannedRequest
    ) -> AsyncGenerator[AudioChunk, None]:
        """Speak with a custom voice; upload it again if the server was restarted."""
        for is_last in (False, True):
            await self._custom_voices.ensure(own)
            try:
                async with aclosing(self._speech.speak(planned)) as chunks:
                    async for chunk in chunks:
                        yield replace(chunk, speaker=replace(chunk.speaker, voice=own.voice.id))
            except VoiceNotFoundError:  # raised before any audio
                if is_last:
                    raise
                self._custom_voices.lost(own)
            else:
                return

    async def _their_voices(self) -> tuple[Voice, ...]:
        self._require_loaded()
        answer = await self._json.ask("GET", routes.VOICES, VoicesAnswer)
        return tuple(voice.to_voice() for voice in answer.voices)

    async def _send_voice(self, upload: VoiceUpload) -> VoiceBody:
        body = upload.model_dump_json(exclude_none=True).encode()
        return await self._json.ask("POST", routes.VOICES, VoiceBody, body)

    async def _shake_hands(self) -> None:
        self._unloaded = False
        if self._first_load_at_s is None:
            self._first_load_at_s = self._clock.monotonic()
        until_s = self._first_load_at_s + NEW_HOST_GRACE_S
        health = await health_of_new_host(self._check_health, self._clock, until_s=until_s)
        refuse_unready(health, self._name, self._connection.host)
        if self._unloaded:
            detail = Translatable("The backend {name} was unloaded meanwhile.", name=self._name)
            raise BackendNotLoadedError(detail, backend=self._name)

    async def _check_health(self) -> Health:
        began_s = self._clock.monotonic()
        try:
            answer = await self._json.ask("GET", routes.HEALTH, HealthAnswer)
        except BackendLoadingError:
            return Health(state=BackendState.LOADING)
        except BackendDrainingError:
            return Health(state=BackendState.DRAINING)
        self._clones = answer.clones
        return health_of(answer, latency_ms=(self._clock.monotonic() - began_s) * 1_000)

    def _require_loaded(self) -> None:
        self._lifetime.require_open()
        if not self._loaded:
            name, host = self._name, self._connection.host
            detail = Translatable(
                "The backend {name} is not connected to {host}.", name=name, host=host
            )
            raise BackendNotLoadedError(detail, backend=self._name)
