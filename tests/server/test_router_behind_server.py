"""A server that serves a router: its own failover is heard and told at the other end."""

from __future__ import annotations

import pytest
from server_site import TOKEN, serving
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import WorkerDiedError
from vieneu_core.router import Router
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SENTENCES = tuple(f"Đây là câu {n} của bản tin." for n in range(3))
REQUEST = SynthesisRequest(text=" ".join(SENTENCES))


@pytest.mark.parametrize("codec", ["opus", "pcm"])
@pytest.mark.parametrize("same_voice", [False, True])
async def test_a_sentence_that_the_server_began_twice_is_begun_twice_at_the_client(
    codec: str, *, same_voice: bool
) -> None:
    broken = ScriptStep(after_chunks=4, error=WorkerDiedError("crashed"))
    local = ScriptedBackend([broken], name="local")
    stand_in = ScriptedBackend(name="last_resort", engine="scripted" if same_voice else "other")
    async with serving(Router(local=local, last_resort=stand_in)) as site:
        remote = RemoteBackend(site.url, TOKEN, codec=codec)  # type: ignore[arg-type]
        await remote.load()
        chunks: list[AudioChunk] = [chunk async for chunk in remote.stream(REQUEST)]
        assert [chunk.sentence for chunk in chunks if chunk.restarted] == [0]
        assert chunks[-1].speaker.fallback
        assert chunks[-1].speaker.backend == "remote"
        local.script = [broken]
        speech = await synthesize(remote, SynthesisRequest(text=REQUEST.text))
        assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(s) for s in SENTENCES])
        assert speech.fallback
        await remote.aclose()
