"""The smallest server that speaks the wire protocol, over any `Backend`. For tests of clients.

It has the whole protocol and none of a server's worries: no queue, no limits, no drain.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from aiohttp import web

from vieneu_core.audio.opus import OpusSentenceEncoder
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import Backend
from vieneu_core.errors import AuthenticationError, VieneuError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.wire import routes
from vieneu_core.wire.framing import (
    End,
    FrameType,
    SentenceEnd,
    SentenceStart,
    Start,
    encode_error,
    encode_frame,
    pack_packets,
)
from vieneu_core.wire.problem import to_problem
from vieneu_core.wire.schemas import HealthAnswer, SynthesisBody, VoiceBody, VoicesAnswer
from vieneu_core.wire.version import WIRE_VERSION

TOKEN = "test-token-0123456789abcdef0123456789abcdef"


class StandInServer:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.bodies: list[SynthesisBody] = []
        self.health: dict[str, object] = {}
        """Members that stand in for those of the backend's own health."""
        self.wire_version = WIRE_VERSION

    @property
    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._errors])
        app.router.add_get(routes.HEALTH, self._health)
        app.router.add_get(routes.VOICES, self._voices)
        app.router.add_post(routes.STREAM, self._stream)
        app.on_response_prepare.append(self._sign)
        return app

    async def _sign(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers[routes.WIRE_VERSION_HEADER] = self.wire_version

    @web.middleware
    async def _errors(self, request: web.Request, handler: object) -> web.StreamResponse:
        try:
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given, f"Bearer {TOKEN}"):
                raise AuthenticationError("The token is not the one of this server.")
            return await handler(request)  # type: ignore[operator,no-any-return]  # aiohttp's Handler
        except VieneuError as err:
            status = 401 if isinstance(err, AuthenticationError) else 503
            return web.Response(
                status=status,
                text=to_problem(err, status).model_dump_json(),
                content_type=routes.PROBLEM_JSON,
            )

    async def _health(self, _: web.Request) -> web.Response:
        health = await self.backend.health()
        answer = HealthAnswer(
            status="ok",
            model_loaded=health.ready,
            uptime_seconds=health.uptime_s or 0.0,
            version="0.1.0",
            wire_version=self.wire_version,
            state=health.state,
            engine=health.engine,
            model=health.model,
        )
        return web.json_response(answer.model_dump(mode="json") | self.health)

    async def _voices(self, _: web.Request) -> web.Response:
        voices = [VoiceBody.of(voice) for voice in await self.backend.voices()]
        return web.json_response(VoicesAnswer(voices=voices).model_dump(mode="json"))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        body = SynthesisBody.model_validate_json(await request.read())
        self.bodies.append(body)
        media_type = request.headers["Accept"]
        async with _speech(self.backend, body) as chunks:
            first = await anext(chunks)
            response = web.StreamResponse(headers={"Content-Type": media_type})
            await response.prepare(request)
            frames = _frames(first, chunks, body, opus=media_type == routes.FRAMES_OPUS)
            async with aclosing(frames):
                async for frame in frames:
                    await response.write(frame)
        return response


@asynccontextmanager
async def _speech(
    backend: Backend, body: SynthesisBody
) -> AsyncIterator[AsyncGenerator[AudioChunk, None]]:
    text = body.text if isinstance(body.text, str) else tuple(body.text)
    request = SynthesisRequest(
        text=text, voice=body.voice, speed=body.speed, request_id=body.request_id
    )
    async with aclosing(backend.stream(request)) as chunks:
        yield chunks


async def _frames(
    first: AudioChunk,
    rest: AsyncGenerator[AudioChunk, None],
    body: SynthesisBody,
    *,
    opus: bool,
) -> AsyncGenerator[bytes, None]:
    yield encode_frame(
        FrameType.START,
        Start(
            wire_version=WIRE_VERSION,
            request_id=body.request_id,
            sample_rate_hz=first.sample_rate_hz,
        ),
    )
    sentence = _SentenceFrames(opus=opus)
    n_sentences = 0
    try:
        for frame in sentence.of(first):
            yield frame
        n_sentences += first.final
        async for chunk in rest:
            for frame in sentence.of(chunk):
                yield frame
            n_sentences += chunk.final
    except VieneuError as err:
        yield encode_error(to_problem(err, 500))
        return
    yield encode_frame(FrameType.END, End(n_sentences=n_sentences))


class _SentenceFrames:
    def __init__(self, *, opus: bool) -> None:
        self._opus = opus
        self._encoder: OpusSentenceEncoder | None = None
        self._n_samples = -1

    def of(self, chunk: AudioChunk) -> list[bytes]:
        frames = [] if self._n_samples >= 0 else [self._begin(chunk)]
        self._n_samples += chunk.n_samples
        payload = pack_packets(self._encoder.encode(chunk.pcm)) if self._encoder else chunk.pcm
        if payload:
            frames.append(encode_frame(FrameType.AUDIO, payload, chunk.sentence))
        if chunk.final:
            frames += self._end(chunk)
        return frames

    def _begin(self, chunk: AudioChunk) -> bytes:
        self._n_samples = 0
        self._encoder = OpusSentenceEncoder(chunk.sample_rate_hz) if self._opus else None
        start = SentenceStart(
            engine=chunk.speaker.engine,
            voice=chunk.speaker.voice,
            stand_in=chunk.speaker.stand_in,
            watermarked=chunk.speaker.watermarked,
            pre_skip=self._encoder.pre_skip if self._encoder else 0,
        )
        return encode_frame(FrameType.SENTENCE, start, chunk.sentence)

    def _end(self, chunk: AudioChunk) -> list[bytes]:
        last = pack_packets(self._encoder.finish()) if self._encoder else b""
        frames = [encode_frame(FrameType.AUDIO, last, chunk.sentence)] if last else []
        end = SentenceEnd(n_samples=self._n_samples)
        self._n_samples = -1
        return [*frames, encode_frame(FrameType.SENTENCE_END, end, chunk.sentence)]
