"""A sentence that the server cannot pronounce arrives without samples, and the others whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import aiohttp
import pytest
from remote_site import listen, sentences_of, site_of
from server_site import TOKEN

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import UnpronounceableError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.testing.tone import sentence_tone
from vieneu_core.wire import routes

SAID = ("Đây là câu 1.", "Đây là câu 2.")
UNSAYABLE = "Đây là câu 3 không đọc được."


class WithoutSounds(ScriptedBackend):
    """Cannot pronounce one sentence."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        assert isinstance(request.text, tuple)
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                if chunk.final or request.text[chunk.sentence] != UNSAYABLE:
                    yield chunk


@pytest.mark.parametrize("codec", ["pcm", "opus"])
@pytest.mark.parametrize("at", [0, 1, 2])
async def test_the_others_are_heard(codec: str, at: int) -> None:
    text = [*SAID]
    text.insert(at, UNSAYABLE)
    async with site_of(WithoutSounds()) as site:
        remote = await site.loaded(codec=codec)
        chunks, error = await listen(remote.stream(SynthesisRequest(text=tuple(text))))

    assert error is None
    got = sentences_of(chunks)
    assert [len(pcm) for pcm in got] == [
        0 if sentence == UNSAYABLE else len(sentence_tone(sentence).pcm(24_000))
        for sentence in text
    ]


@pytest.mark.parametrize("media_type", ["audio/wav", "audio/mpeg", "audio/ogg"])
async def test_a_plain_client_hears_the_others(media_type: str) -> None:
    text = [UNSAYABLE, *SAID]
    async with site_of(WithoutSounds()) as site, aiohttp.ClientSession() as session:
        url = f"http://{site.address[0]}:{site.address[1]}{routes.STREAM}"
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": media_type}
        async with session.post(url, json={"text": text}, headers=headers) as answer:
            body = await answer.read()

    assert answer.status == 200
    assert len(body) > 5_000


async def test_a_text_without_any_sayable_sentence_is_that_error_and_no_failure() -> None:
    voice = ScriptedBackend()
    voice.always = ScriptStep(error=UnpronounceableError("No sounds."))
    async with site_of(voice) as site:
        remote = await site.loaded()
        chunks, error = await listen(remote.stream(SynthesisRequest(text=(UNSAYABLE,))))

    assert chunks == []
    assert isinstance(error, UnpronounceableError)
