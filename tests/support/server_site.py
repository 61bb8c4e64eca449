"""A server in this process on a real socket, and a client that hears what it sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from fastapi import FastAPI
from guard import GUARD_S
from pydantic import SecretStr
from waiting import until

from vieneu_colab_server.app import AddedApi, Service, create_app
from vieneu_colab_server.launch import DrainingServer, build_server
from vieneu_colab_server.listening_port import open_port, url_of
from vieneu_colab_server.sending import SentInParts
from vieneu_colab_server.settings import ServerSettings
from vieneu_colab_server.startup import StartupFailureRecorder
from vieneu_core.audio.opus import OpusSentenceDecoder
from vieneu_core.backends.base import Backend
from vieneu_core.clock import Clock
from vieneu_core.wire import framing
from vieneu_core.wire.framing import FrameDecoder, FrameType
from vieneu_core.wire.problem import Problem

TOKEN = "a-token-for-tests-with-256-bits-or-so"


@dataclass
class DecodedFrames:
    """What a client decoded from our framing."""

    sample_rate_hz: int = 0
    sentences: list[bytes] = field(default_factory=list)
    starts: list[framing.SentenceStart] = field(default_factory=list)
    n_stated: int | None = None
    problem: Problem | None = None

    @property
    def pcm(self) -> bytes:
        return b"".join(self.sentences)


def decode_frames(data: bytes, *, opus: bool) -> DecodedFrames:
    """Decode a whole answer; raises where it has no end mark."""
    heard, decoder, opus_decoder = DecodedFrames(), FrameDecoder(), None
    for frame in decoder.feed(data):
        match frame.type:
            case FrameType.START:
                start = framing.Start.model_validate_json(frame.payload)
                heard.sample_rate_hz = start.sample_rate_hz
            case FrameType.SENTENCE:
                begun = framing.SentenceStart.model_validate_json(frame.payload)
                heard.starts.append(begun)
                heard.sentences.append(b"")
                opus_decoder = OpusSentenceDecoder(heard.sample_rate_hz, pre_skip=begun.pre_skip)
            case FrameType.AUDIO if opus and opus_decoder:
                heard.sentences[-1] += opus_decoder.decode(framing.unpack_packets(frame.payload))
            case FrameType.AUDIO:
                heard.sentences[-1] += frame.payload
            case FrameType.SENTENCE_END:
                end = framing.SentenceEnd.model_validate_json(frame.payload)
                if opus and opus_decoder:
                    heard.sentences[-1] += opus_decoder.finish(end.n_samples)
                assert len(heard.sentences[-1]) == 2 * end.n_samples
            case FrameType.ERROR:
                heard.problem = Problem.model_validate_json(frame.payload)
            case FrameType.END:
                heard.n_stated = framing.End.model_validate_json(frame.payload).n_sentences
    decoder.finish()
    return heard


@dataclass
class Site:
    """A server that runs in this process, and a client of it."""

    url: str
    session: aiohttp.ClientSession
    server: DrainingServer
    service: Service
    task: asyncio.Task[None]

    @property
    def app(self) -> FastAPI:
        outer = self.server.config.app
        assert isinstance(outer, SentInParts)
        startup = outer.app
        assert isinstance(startup, StartupFailureRecorder)
        assert isinstance(startup.app, FastAPI)
        return startup.app

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)

    def post(self, path: str, **kwargs: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self.session.post(self.url + path, **kwargs)

    def get(self, path: str, **kwargs: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self.session.get(self.url + path, **kwargs)

    async def problem(self, response: aiohttp.ClientResponse) -> Problem:
        assert response.content_type == "application/problem+json", await response.text()
        problem = Problem.model_validate_json(await response.read())
        assert problem.status == response.status
        return problem


@asynccontextmanager
async def serving(
    backend: Backend,
    *,
    clock: Clock | None = None,
    until_loaded: bool = True,
    token: str = TOKEN,
    added: Sequence[AddedApi] = (),
    **settings: Any,
) -> AsyncIterator[Site]:
    given = ServerSettings(**{"token": SecretStr(token), "port": 0, **settings})
    app = create_app(given, backend, clock=clock, added=added)
    server = build_server(app, given)
    service: Service = app.state.service
    with open_port(given) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        headers, url = {"Authorization": f"Bearer {token}"}, url_of(listener)
        try:
            async with asyncio.timeout(GUARD_S), aiohttp.ClientSession(headers=headers) as s:
                await until(lambda: server.started)
                await until(lambda: not (until_loaded and service.lifecycle.loading))
                yield Site(url, s, server, service, task)
        finally:
            server.stop()
            async with asyncio.timeout(GUARD_S):
                await task
