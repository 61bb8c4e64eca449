"""`RemoteBackend`: a server behind a URL and a token, presented as a `Backend`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Literal, TypeVar

import aiohttp
from pydantic import BaseModel, SecretStr, ValidationError

from vieneu_core.arguments import expect, expect_optional, one_of, refuse
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.backends.lifetime import Lifetime
from vieneu_core.backends.remote.connection import Answer, Call, Connection, OnTraffic
from vieneu_core.backends.remote.deadlines import Deadlines, RemoteTimeouts
from vieneu_core.backends.remote.endpoint import Endpoint
from vieneu_core.backends.remote.handshake import health_of, refuse_unready
from vieneu_core.backends.remote.request_plan import PlannedRequest, plan_requests
from vieneu_core.backends.remote.retry import RetryPolicy
from vieneu_core.backends.remote.stream_reader import Codec, SpeechReader, load_libraries
from vieneu_core.backends.remote.voice_upload import OwnVoices
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import (
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    BackendNotLoadedError,
    BackendTimeoutError,
    BadResponseError,
    HostNotFoundError,
    RequestError,
    StreamInterruptedError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import SynthesisRequest, check_request
from vieneu_core.voices import Voice
from vieneu_core.voices.catalogue import CustomVoice, VoiceCatalogue
from vieneu_core.wire import routes
from vieneu_core.wire.schemas import (
    HealthAnswer,
    NewToken,
    VoiceBody,
    VoicesAnswer,
    VoiceUpload,
)

NEW_HOST_GRACE_S = 60.0
"""The name of a new quick tunnel may be unknown for so long."""
NEW_HOST_RETRY_S = 2.0
MAX_JSON_BYTES = 1 << 20
"""Longest answer to /health and /voices that is read."""

_Body = TypeVar("_Body", bound=BaseModel)


class RemoteBackend(Backend):
    """Speaks over HTTP. Audio is passed on as it comes; nothing cut short passes for whole.

    Args:
        endpoint_url: URL of the server; ``http://`` only inside a home network.
        auth_token: The server's token. It leaves this object in the Authorization header alone.
        session: Used where given, and never closed; else a session of our own is opened when it
            is needed. Certificates are checked as this session checks them, by default strictly.
        timeouts: Limits on waiting.
        codec: ``opus``, or ``pcm``: 12 times the bytes at 24 kHz, without loss.
        name: As in `Speaker.backend`.
        clock: Time, for deadlines and waits between tries.
        rng: Source of the jitter between tries.
        on_traffic: Called after every HTTP request with (1, bytes both ways, roughly).
        retries: When and how often a request is tried again.
        voices: Voices that were added in this house; a server that clones gets them when they are
            first needed.

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
        self._lifetime = Lifetime(f"The backend {name}", backend=name)
        self._timeouts = timeouts
        self._codec = one_of("codec", codec, Codec)
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._retries = retries
        self._connection = Connection(
            Endpoint.of(endpoint_url, auth_token),
            session=session,
            timeouts=timeouts,
            clock=clock,
            backend=name,
            on_traffic=on_traffic,
        )
        self._custom_voices = OwnVoices(
            voices, list_theirs=self._their_voices, send=self._send_voice
        )
        self._clones = False
        self._loaded = False
        self._unloaded = False
        """True from an `unload` until the next `load` begins."""
        self._loading = asyncio.Lock()
        self._first_load_at_s: float | None = None

    def __repr__(self) -> str:
        return f"RemoteBackend(name={self._name!r}, host={self._connection.host!r})"

    @property
    def name(self) -> str:
        """Short name, as in `Speaker.backend`."""
        return self._name

    async def load(self) -> None:
        """Shake hands with the server: it answers, accepts the token, and is ready to speak.

        The name of a new tunnel is given a minute, counted from the first call, to be known.

        Raises:
            BackendError: what stands in the way, by name.
        """
        self._lifetime.use()
        async with self._loading:
            if self._loaded:
                return
            self._lifetime.require_open()
            try:
                # Not at the first request: the import would hold up its audio and the event loop.
                await asyncio.to_thread(load_libraries, self._codec)
                await self._shake_hands()
            except BaseException:
                await self._connection.aclose()
                raise
            self._loaded = True

    async def unload(self) -> None:
        """Close the connections. Streams still running end with an error."""
        self._lifetime.use()
        self._loaded, self._unloaded = False, True
        self._custom_voices.forget()
        await self._connection.aclose()

    async def aclose(self) -> None:
        """As `unload`, for good. A session that was handed in stays open."""
        self._lifetime.close()
        await self.unload()

    async def health(self) -> Health:
        """Ask the server how it is. Before `load` a ready server counts as unloaded.

        Raises:
            BackendError: it cannot be reached, or does not accept the token.
        """
        if self._lifetime.closed:
            return Health(state=BackendState.UNLOADED)
        health = await self._look()
        if health.ready and not self._loaded:
            return replace(health, state=BackendState.UNLOADED)
        return health

    async def voices(self) -> tuple[Voice, ...]:
        """Ask the server for its voices, the default one first.

        Raises:
            BackendError: it is not loaded, or cannot be reached.
        """
        theirs = await self._their_voices()
        if not self._clones:
            return theirs
        known = {voice.id for voice in theirs}
        own = await self._custom_voices.voices()
        return theirs + tuple(voice for voice in own if voice.id not in known)

    async def rotate_token(self) -> SecretStr:
        """Have the server make a new token; use it from now on, and return it to be kept.

        The one before it stays good for ten minutes.

        Raises:
            BackendError: the server did not; the present token stays.
        """
        answer = await self._ask("POST", routes.ROTATE_TOKEN, NewToken)
        token = SecretStr(answer.token)
        self._connection.use_token(token)
        return token

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request; see `Backend.stream`.

        Raises:
            RequestError: the server refuses the request as such.
            BackendError: it failed, or the way to it.
        """
        check_request(request)
        self._require_loaded()
        try:
            own = await self._custom_voice(request)
            if own is not None:
                request = replace(request, voice=own.reference.content_id)
            wanted = plan_requests(
                request, first_audio_within_s=self._timeouts.first_audio_within_s
            )
            async with aclosing(wanted):
                async for planned in wanted:
                    speech = self._speak(planned) if own is None else self._speak_as(own, planned)
                    async with aclosing(speech) as chunks:
                        async for chunk in chunks:
                            yield chunk
        except BackendError as err:
            err.backend = err.backend or self._name
            raise

    async def _custom_voice(self, request: SynthesisRequest) -> CustomVoice | None:
        """Find a voice of the house that the server does not have, where it can take one."""
        if request.reference is not None or not self._clones:
            return None
        return await self._custom_voices.find(request.voice)

    async def _speak_as(
        self, own: CustomVoice, planned: PlannedRequest
    ) -> AsyncGenerator[AudioChunk, None]:
        """Speak an order with a voice of the house; a server that was restarted gets it again."""
        for is_last in (False, True):
            await self._custom_voices.ensure(own)
            try:
                async with aclosing(self._speak(planned)) as chunks:
                    async for chunk in chunks:
                        yield replace(chunk, speaker=replace(chunk.speaker, voice=own.voice.id))
            except VoiceNotFoundError:  # it comes before any sound
                if is_last:
                    raise
                self._custom_voices.lost(own)
            else:
                return

    async def _their_voices(self) -> tuple[Voice, ...]:
        self._require_loaded()
        answer = await self._ask("GET", routes.VOICES, VoicesAnswer)
        return tuple(voice.to_voice() for voice in answer.voices)

    async def _send_voice(self, upload: VoiceUpload) -> VoiceBody:
        body = upload.model_dump_json(exclude_none=True).encode()
        return await self._ask("POST", routes.VOICES, VoiceBody, body)

    async def _speak(self, planned: PlannedRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak one order, trying again as long as none of its audio has come."""
        deadlines = self._connection.deadlines(self._timeouts)
        n_tried, heard = 0, False
        while True:
            n_tried += 1
            self._require_loaded()  # it may have been unloaded during the pause
            try:
                async with aclosing(self._attempt(planned, deadlines)) as chunks:
                    async for chunk in chunks:
                        heard = True
                        yield chunk
            except BackendError as err:
                wait_s = self._retries.wait_s(err, n_tried, deadlines.remaining_s, self._rng)
                if heard or wait_s is None:
                    raise
            else:
                return
            await deadlines.pause(wait_s)

    async def _attempt(
        self, planned: PlannedRequest, deadlines: Deadlines
    ) -> AsyncGenerator[AudioChunk, None]:
        accept = self._codec.media_type
        call = Call("POST", routes.STREAM, accept, planned.body)
        reader = SpeechReader(planned, self._codec, backend=self._name)
        async with self._connection.exchange(call, deadlines, expect=accept) as answer:
            deadlines.answered()
            while data := await answer.read():
                async with aclosing(reader.feed(data)) as chunks:
                    async for chunk in chunks:
                        deadlines.heard(chunk.seconds)
                        yield chunk
                if reader.ended:
                    await _let_end(answer)
                    return
            raise StreamInterruptedError(
                f"The audio of {self._connection.host} broke off before its end mark."
            )

    async def _shake_hands(self) -> None:
        self._unloaded = False
        refuse_unready(await self._look_with_grace(), self._name, self._connection.host)
        if self._unloaded:
            raise BackendNotLoadedError(
                f"The backend {self._name} was unloaded meanwhile.", backend=self._name
            )

    async def _look_with_grace(self) -> Health:
        now_s = self._clock.monotonic()
        if self._first_load_at_s is None:
            self._first_load_at_s = now_s
        until_s = self._first_load_at_s + NEW_HOST_GRACE_S
        while True:
            try:
                return await self._look()
            except HostNotFoundError:
                if self._clock.monotonic() + NEW_HOST_RETRY_S > until_s:
                    raise
            await self._clock.sleep(NEW_HOST_RETRY_S)

    async def _look(self) -> Health:
        began_s = self._clock.monotonic()
        try:
            answer = await self._ask("GET", routes.HEALTH, HealthAnswer)
        except BackendLoadingError:
            return Health(state=BackendState.LOADING)
        except BackendDrainingError:
            return Health(state=BackendState.DRAINING)
        self._clones = answer.clones
        return health_of(answer, latency_ms=(self._clock.monotonic() - began_s) * 1_000)

    async def _ask(self, method: str, path: str, model: type[_Body], body: bytes = b"") -> _Body:
        self._lifetime.use()
        call = Call(method, path, "application/json", body)
        limits = self._timeouts
        if not body:  # a voice that is sent may take as long as speech
            brief_s = min(limits.total_s, limits.connect_s + limits.first_byte_s)
            limits = replace(limits, total_s=brief_s)
        deadlines = self._connection.deadlines(limits)
        try:
            async with self._connection.exchange(call, deadlines, expect=call.accept) as answer:
                body = await answer.read_up_to(MAX_JSON_BYTES)
        except RequestError as err:  # no caller has a part in it
            raise BadResponseError(
                f"{self._connection.host}{path} refused a plain question: {err.detail}",
                backend=self._name,
            ) from err
        try:
            return model.model_validate_json(body)
        except ValidationError as err:
            raise BadResponseError(
                f"{self._connection.host}{path} answered in a way that cannot be read.",
                backend=self._name,
            ) from err

    def _require_loaded(self) -> None:
        self._lifetime.require_open()
        if not self._loaded:
            raise BackendNotLoadedError(
                f"The backend {self._name} is not connected to {self._connection.host}.",
                backend=self._name,
            )


async def _let_end(answer: Answer) -> None:
    """Read what stands after the END frame, so that the connection stays warm.

    Everything was spoken and checked by then, so a line that breaks here takes nothing away.
    """
    try:
        trailing = await answer.read()
    except (StreamInterruptedError, BackendTimeoutError):
        return
    if trailing:
        raise BadResponseError("The audio stream goes on after its end mark.")
