"""A voice that was added in the house is heard through a server that never had it."""

from __future__ import annotations

import base64
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr
from server_site import TOKEN, Site, serving

from vieneu_colab_server.uploaded_voices import UploadedVoices
from vieneu_core.audio.decode import Clip
from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import ReferenceAudioError, VoiceNotFoundError
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.voices.catalogue import VoiceCatalogue
from vieneu_core.wire.schemas import VoiceUpload

HELLO = "Xin chào các bạn. Hôm nay trời đẹp."


def clip(seed: int = 0, seconds: float = 4.0) -> ReferenceAudio:
    noise = np.random.default_rng(seed).normal(0, 3000, round(16_000 * seconds))
    return ReferenceAudio(
        pcm=np.clip(noise, -32_000, 32_000).astype("<i2").tobytes(),
        sample_rate_hz=16_000,
        transcript="Xin chào các bạn.",
    )


def flac(reference: ReferenceAudio) -> str:
    encoder = Encoder(AudioFormat.FLAC, reference.sample_rate_hz)
    return base64.b64encode(encoder.encode(reference.pcm) + encoder.finish()).decode()


@pytest.fixture
def catalogue(tmp_path: Path) -> VoiceCatalogue:
    catalogue = VoiceCatalogue(tmp_path)
    catalogue.add("Bà Ngoại", clip())
    return catalogue


@pytest.fixture
def engine() -> ScriptedBackend:
    return ScriptedBackend(clones=True)


@pytest.fixture
async def site(engine: ScriptedBackend) -> AsyncIterator[Site]:
    async with serving(engine) as site:
        yield site


@pytest.fixture
async def remote(site: Site, catalogue: VoiceCatalogue) -> AsyncIterator[RemoteBackend]:
    backend = RemoteBackend(site.url, SecretStr(TOKEN), voices=catalogue)
    await backend.load()
    yield backend
    await backend.aclose()


async def listed(site: Site) -> list[dict[str, Any]]:
    async with site.get("/voices") as answer:
        voices: list[dict[str, Any]] = (await answer.json())["voices"]
        return voices


async def test_it_is_sent_once_and_spoken_with(
    site: Site, remote: RemoteBackend, engine: ScriptedBackend
) -> None:
    for _ in range(2):
        speech = await synthesize(remote, SynthesisRequest(text=HELLO, voice="ba-ngoai"))
        assert {speaker.voice for speaker in speech.speakers} == {"ba-ngoai"}

    assert {request.reference for request in engine.record.requests} == {clip()}
    own = [voice for voice in await listed(site) if voice["id"].startswith("clip-")]
    assert [(voice["name"], voice["language"]) for voice in own] == [("Bà Ngoại", "vi")]
    assert "ba-ngoai" in {voice.id for voice in await remote.voices()}


async def test_a_server_that_lost_it_gets_it_again_unnoticed(
    site: Site, remote: RemoteBackend, engine: ScriptedBackend
) -> None:
    await synthesize(remote, SynthesisRequest(text=HELLO, voice="ba-ngoai"))
    async with site.session.delete(f"{site.url}/voices/{clip().content_id}") as answer:
        assert answer.status == 204

    async def written() -> AsyncIterator[str]:
        yield "Xin chào các bạn. "
        yield "Hôm nay trời đẹp."

    speech = await synthesize(remote, SynthesisRequest(text=written(), voice="ba-ngoai"))

    assert len(speech.speakers) == 2
    assert engine.record.requests[-1].reference == clip()


async def test_a_new_session_asks_anew(site: Site, remote: RemoteBackend) -> None:
    await synthesize(remote, SynthesisRequest(text=HELLO, voice="ba-ngoai"))
    await remote.unload()
    async with site.session.delete(f"{site.url}/voices/{clip().content_id}"):
        pass
    await remote.load()

    await synthesize(remote, SynthesisRequest(text=HELLO, voice="ba-ngoai"))

    assert clip().content_id in {voice["id"] for voice in await listed(site)}


async def test_the_servers_own_voice_of_that_id_goes_first(
    remote: RemoteBackend, engine: ScriptedBackend, catalogue: VoiceCatalogue
) -> None:
    catalogue.add("Vi tone", clip(1))

    speech = await synthesize(remote, SynthesisRequest(text=HELLO, voice="vi-tone"))

    assert speech.speakers[0].voice == "vi-tone"
    assert engine.record.requests[0].reference is None


async def test_a_server_that_cannot_clone_takes_none_and_the_list_says_so(
    catalogue: VoiceCatalogue,
) -> None:
    async with serving(ScriptedBackend()) as site:
        body = {"audio_base64": flac(clip()), "transcript": "Xin chào."}
        async with site.post("/voices", json=body) as answer:
            assert (await site.problem(answer)).code == "cloning_unsupported"
        remote = RemoteBackend(site.url, SecretStr(TOKEN), voices=catalogue)
        await remote.load()
        assert "ba-ngoai" not in {voice.id for voice in await remote.voices()}
        with pytest.raises(VoiceNotFoundError):
            await synthesize(remote, SynthesisRequest(text=HELLO, voice="ba-ngoai"))
        await remote.aclose()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": "clip-of-another"}, "invalid_request"),
        ({"transcript": " … "}, "invalid_request"),
        ({"audio_base64": "no base64!"}, "reference_audio"),
        ({"audio_base64": base64.b64encode(b"no audio").decode()}, "reference_audio"),
        ({"audio_base64": flac(clip(seconds=16))}, "reference_audio"),
    ],
)
async def test_what_cannot_be_a_voice_is_refused(
    site: Site, changes: dict[str, str], code: str
) -> None:
    body = {"audio_base64": flac(clip()), "transcript": "Xin chào.", **changes}

    async with site.post("/voices", json=body) as answer:
        assert (await site.problem(answer)).code == code
    assert not any(voice["id"].startswith("clip-") for voice in await listed(site))


async def test_the_same_voice_is_kept_once_whatever_the_file(site: Site) -> None:
    encoder = Encoder(AudioFormat.WAV, 16_000)
    wav = base64.b64encode(encoder.encode(clip().pcm) + encoder.finish()).decode()
    for audio in (flac(clip()), wav, flac(clip())):
        body = {"audio_base64": audio, "transcript": clip().transcript}
        async with site.post("/voices", json=body) as answer:
            assert (await answer.json())["id"] == clip().content_id

    assert [v["id"] for v in await listed(site)].count(clip().content_id) == 1


async def test_forgetting_what_was_never_sent_is_an_error(site: Site) -> None:
    async with site.session.delete(f"{site.url}/voices/vi-tone") as answer:
        assert (await site.problem(answer)).code == "voice_not_found"


def test_the_one_that_was_used_longest_ago_goes_first() -> None:
    kept = UploadedVoices(max_seconds=15, most_kept=2)
    ids = [
        kept.add(VoiceUpload(audio_base64=flac(clip(seed)), transcript="Xin chào.")).id
        for seed in (1, 2)
    ]
    assert kept.find(ids[0]) is not None
    kept.add(VoiceUpload(audio_base64=flac(clip(3)), transcript="Xin chào."))

    assert kept.find(ids[1]) is None
    assert kept.find(ids[0]) is not None
    with pytest.raises(ReferenceAudioError):
        kept.add(VoiceUpload(audio_base64="", transcript="Xin chào."))


def test_uploads_on_many_threads_at_once_are_all_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "vieneu_colab_server.uploaded_voices.decode_clip"
    monkeypatch.setattr(name, lambda pcm, **_: Clip(pcm, 16_000))
    uploads = [
        VoiceUpload(
            audio_base64=base64.b64encode(bytes([n]) * 32_000).decode(), transcript="Xin chào."
        )
        for n in range(20)
    ]
    kept, before = UploadedVoices(max_seconds=15, most_kept=4), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            added = list(threads.map(kept.add, uploads * 50))
    finally:
        sys.setswitchinterval(before)

    assert len(added) == len(uploads) * 50
    assert len(kept.voices()) == 4
