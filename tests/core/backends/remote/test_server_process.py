"""A client and a real ``vieneu-server`` in a process of its own, which dies and comes back."""

from __future__ import annotations

import os
import signal

import pytest
from remote_site import AT_ONCE, PATIENT, listen, sentences_of
from server_process import running_server
from tone_engine import expected, heard, same

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import (
    AuthenticationError,
    BackendConnectionError,
    SynthesisFailedError,
    WorkerDiedError,
)
from vieneu_core.synthesis import SynthesisRequest

TEXT = ("Máy chủ nói câu 11.", "Rồi nói tiếp câu 12.", "Sau cùng là câu 13.")


def client(url: str, token: str, codec: str = "opus") -> RemoteBackend:
    return RemoteBackend(url, token, codec=codec, timeouts=PATIENT, retries=AT_ONCE)  # type: ignore[arg-type]  # a word of the table


async def test_a_server_process_is_heard_and_its_failures_have_names() -> None:
    async with running_server() as server:
        for codec in ("opus", "pcm"):
            remote = client(server.url, server.token, codec)
            await remote.load()
            speech = await synthesize(remote, SynthesisRequest(text=TEXT))
            assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(s) for s in TEXT])

            got, error = await listen(
                remote.stream(SynthesisRequest(text=(TEXT[0], "Câu này refuse câu 12.")))
            )
            assert type(error) is SynthesisFailedError
            assert len(sentences_of(got)) == 1
            await remote.aclose()

        remote = client(server.url, server.token)
        await remote.load()
        got, error = await listen(
            remote.stream(SynthesisRequest(text=(TEXT[0], "Câu này sigkill câu 12.")))
        )
        assert type(error) is WorkerDiedError
        assert len(sentences_of(got)) == 1
        await remote.aclose()


@pytest.mark.parametrize("codec", ["opus", "pcm"])
async def test_a_server_killed_midway_leaves_whole_sentences_only(codec: str) -> None:
    async with running_server(options={"chunk_delay_s": 0.02}) as server:
        remote = client(server.url, server.token, codec)
        await remote.load()
        got = []

        async def until_killed() -> None:
            async for chunk in remote.stream(SynthesisRequest(text=TEXT * 5)):
                got.append(chunk)
                if chunk.sentence == 1 and not chunk.final:
                    os.kill(server.pid, signal.SIGKILL)

        with pytest.raises(BackendConnectionError) as caught:
            await until_killed()

        assert caught.value.backend == "remote"
        for pcm, sentence in zip(sentences_of(got), TEXT * 5, strict=False):
            assert same(heard(pcm, got[0].sample_rate_hz), [expected(sentence)])
        assert 1 <= len(sentences_of(got)) < 15
        with pytest.raises(BackendConnectionError):
            await remote.health()
        await remote.aclose()


async def test_a_session_made_anew_has_a_token_that_the_old_client_lacks() -> None:
    async with running_server(token="") as server:
        old = server.token
        remote = client(server.url, old)
        await remote.load()
        port = int(server.url.rsplit(":", 1)[1])
        server.process.terminate()
        await server.stopped()

    async with running_server(token="", port=port) as again:
        assert again.token != old
        with pytest.raises(AuthenticationError):
            await synthesize(remote, SynthesisRequest(text=TEXT))
        await remote.aclose()
