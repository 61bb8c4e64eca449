"""A cache behind a server: its client knows which model spoke, and that it was replayed."""

from __future__ import annotations

from pathlib import Path

from cache_rig import SENTENCES, TEXT, cache_rig, spoken_by
from remote_site import PATIENT
from server_site import TOKEN, decode_frames, serving

from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.wire.framing import SentenceStart
from vieneu_core.wire.routes import FRAMES_PCM


async def test_a_client_hears_the_replay_and_is_shown_that_it_is_one(tmp_path: Path) -> None:
    async with (
        cache_rig(tmp_path) as rig,
        serving(rig.backend) as site,
        RemoteBackend(site.url, TOKEN, timeouts=PATIENT, codec="pcm") as client,
    ):
        first = await collect(client.stream(SynthesisRequest(text=TEXT)))
        await rig.backend.flush()
        again = await collect(client.stream(SynthesisRequest(text=TEXT)))

        assert {(s.model, s.cached) for s in first.speakers} == {("script", False)}
        assert {(s.model, s.cached) for s in again.speakers} == {("script", True)}
        assert spoken_by(again, "remote", *SENTENCES)
        assert again.pcm == first.pcm


async def test_a_sentence_of_a_replay_fits_into_frames(tmp_path: Path) -> None:
    long_sentence = "Đây là câu 11 nhé, " + "rất dài và rất lâu, " * 14
    async with cache_rig(tmp_path, max_bytes=100_000_000) as rig, serving(rig.backend) as site:
        await rig.speak((long_sentence,))
        body = {"text": [long_sentence]}
        headers = {"Accept": FRAMES_PCM}
        async with site.post("/tts/stream", json=body, headers=headers) as response:
            heard = decode_frames(await response.read(), opus=False)

    assert heard.n_stated == 1
    assert heard.starts[0].cached


def test_a_server_that_names_neither_is_understood() -> None:
    older = SentenceStart.model_validate_json(b'{"engine": "espeak", "voice": "vi"}')

    assert (older.model, older.cached) == ("", False)
