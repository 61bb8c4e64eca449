"""Which speech belongs to the chosen backend, also where that is away, and in another process."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cache_rig import SENTENCES, TEXT, CacheRig, Voiced, as_spoken_by, cache_rig, is_away, spoken_by
from tone_engine import VOICES as TONE_VOICES
from tone_engine import expected, heard, same

from vieneu_core.backends.base import Health
from vieneu_core.errors import BackendConnectionError, BackendUnavailableError
from vieneu_core.router import Mode
from vieneu_core.speech_cache.identity import Identity, SpokenVoice, key_of
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptStep


async def prepared(folder: Path, **fields: object) -> None:
    async with cache_rig(folder) as rig:
        await rig.speak(**fields)  # type: ignore[arg-type]


def away(**about: str) -> Voiced:
    remote = Voiced("remote", **about)
    is_away(remote)
    return remote


async def test_while_a_fallback_is_active_the_chosen_voice_is_still_heard(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        await rig.speak()
        await rig.lose_remote()
        assert rig.router.active == "local"

        again = await rig.speak()

        assert spoken_by(again, "remote", *SENTENCES)
        assert not again.fallback
        assert spoken_by(await rig.speak("Đây là câu 13 nhé."), "local", "Đây là câu 13 nhé.")


async def test_the_chosen_voice_dies_in_an_announcement_and_its_own_speech_goes_first(
    tmp_path: Path,
) -> None:
    texts = ("Đây là câu 14 nhé.", SENTENCES[0], "Đây là câu 15 nhé.", SENTENCES[1])
    async with cache_rig(tmp_path) as rig:
        await rig.speak()
        lost = ScriptStep(after_chunks=2, error=BackendConnectionError("It is gone."))
        rig.remote.always = lost

        speech = await rig.speak(texts)

        assert [(s.backend, s.cached) for s in speech.speakers] == [
            ("local", False),
            ("remote", True),
            ("local", False),
            ("remote", True),
        ]
        tones = heard(speech.pcm, speech.sample_rate_hz)
        spoken = ["local", "remote", "local", "remote"]
        wanted = [expected(as_spoken_by(n, t)) for n, t in zip(spoken, texts, strict=True)]
        assert same(tones, wanted)
        assert speech.fallback


async def test_with_every_backend_gone_it_is_still_replayed(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        await rig.speak()
        for name in ("remote", "local", "last_resort"):
            await rig.router.unload_backend(name)

        assert spoken_by(await rig.speak(), "remote", *SENTENCES)


async def test_another_process_finds_it_also_offline(tmp_path: Path) -> None:
    await prepared(tmp_path)

    async with cache_rig(tmp_path, remote=away()) as rig:
        speech = await rig.speak()
        assert spoken_by(speech, "remote", *SENTENCES)
        assert rig.n_asked == 0
        assert spoken_by(await rig.speak(voice="vi-tone"), "remote", *SENTENCES)
        with pytest.raises(BackendUnavailableError):
            await rig.backend.prepare(SynthesisRequest(text="Đây là câu 13 nhé."))


@pytest.mark.parametrize("about", [{"model": "another"}, {"version": "1.1"}])
async def test_a_server_with_another_model_is_heard_as_it_is_now(
    tmp_path: Path, about: dict[str, str]
) -> None:
    await prepared(tmp_path)

    async with cache_rig(tmp_path, remote=Voiced("remote", **about)) as rig:
        assert not (await rig.speak()).speakers[0].cached
        assert (await rig.speak()).speakers[0].cached
    async with cache_rig(tmp_path) as rig:
        assert (await rig.speak(voice="vi-tone")).speakers[0].cached, "and the first one is kept"


async def test_the_last_known_model_is_the_newest_one(tmp_path: Path) -> None:
    await prepared(tmp_path)
    async with cache_rig(tmp_path, remote=Voiced("remote", model="another")) as rig:
        await rig.speak("Đây là câu 13 nhé.")

    async with cache_rig(tmp_path, remote=away()) as rig:
        assert spoken_by(await rig.speak(), "local", *SENTENCES)
        assert (await rig.speak("Đây là câu 13 nhé.")).speakers[0].model == "another"


async def test_a_new_model_that_a_health_check_finds_counts_at_once(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        await rig.speak()
        await rig.change_remote(model="another")

        assert not (await rig.speak()).speakers[0].cached


async def test_a_local_engine_counts_with_its_options(tmp_path: Path) -> None:
    gentle: dict[str, object] = {"engine": "gguf", "options": {"temperature": 0.5}}
    async with cache_rig(tmp_path, mode=Mode.LOCAL, local=gentle) as rig:
        await rig.speak()
        assert (await rig.speak()).speakers[0].cached

    wild = {**gentle, "options": {"temperature": 0.9}}
    async with cache_rig(tmp_path, mode=Mode.LOCAL, local=wild) as rig:
        rig.local.reported = Health(state=(await rig.local.health()).state)  # loads for long
        await rig.router.check("local")
        assert not (await rig.speak()).speakers[0].cached, "the last known one had other options"
    async with cache_rig(tmp_path, mode=Mode.LOCAL, local=gentle) as rig:
        rig.local.reported = Health(state=(await rig.local.health()).state)
        await rig.router.check("local")
        assert (await rig.speak()).speakers[0].cached


async def test_the_default_voice_of_the_settings_is_the_voice(tmp_path: Path) -> None:
    async with cache_rig(tmp_path, mode=Mode.LOCAL) as rig:
        await rig.speak(voice="en-tone")
    async with cache_rig(tmp_path, mode=Mode.LOCAL, local={"voice": "en-tone"}) as rig:
        assert (await rig.speak()).speakers[0].voice == "en-tone"


async def test_a_default_voice_that_is_missing_is_not_the_voice(tmp_path: Path) -> None:
    async with cache_rig(tmp_path, mode=Mode.LOCAL, local={"voice": "gone"}) as rig:
        rig.local.reported = replace(await rig.local.health(), missing_voice="gone")
        await rig.router.check("local")
        await rig.speak()

        assert (await rig.speak()).speakers[0].voice == "vi-tone"
        assert (await rig.speak(voice="vi-tone")).speakers[0].cached


async def test_a_server_that_chose_another_default_voice_is_followed(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        await rig.speak()
        rig.remote._voices = TONE_VOICES
        new = (await rig.speak("Đây là câu 13 nhé.")).speakers[0].voice
        assert new != "vi-tone"

        assert (await rig.speak()).speakers[0].voice == new
        assert (await rig.speak()).speakers[0].cached


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[1]",
        b'{"format": 2, "backends": {}}',
        b'{"format": 1, "backends": {"remote": {"identity": {"engine": 1}}}}',
        b"[" * 100_000,
    ],
)
async def test_a_damaged_file_of_identities_is_as_none(tmp_path: Path, content: bytes) -> None:
    await prepared(tmp_path)
    known = tmp_path / "speech/last-known.json"
    assert json.loads(known.read_bytes())["backends"]["remote"]["voices"] == {"vi": "vi-tone"}
    assert known.stat().st_mode & 0o077 == 0
    known.write_bytes(content)

    async with cache_rig(tmp_path, remote=away()) as rig:
        assert spoken_by(await rig.speak(), "local", *SENTENCES)
    async with cache_rig(tmp_path) as rig:
        await rig.speak("Đây là câu 13 nhé.")
        assert (await rig.speak()).speakers[0].cached


async def test_both_modes_are_remembered(tmp_path: Path) -> None:
    async def loses_all(rig: CacheRig) -> None:
        rig.local.reported = rig.remote.reported = Health(state=(await rig.local.health()).state)
        await rig.router.check("local")
        await rig.router.check("remote")

    await prepared(tmp_path)
    async with cache_rig(tmp_path, mode=Mode.LOCAL) as rig:
        await rig.speak()
    for mode in (Mode.REMOTE, Mode.LOCAL):
        async with cache_rig(tmp_path, mode=mode) as rig:
            await loses_all(rig)
            assert spoken_by(await rig.speak(), mode.value, *SENTENCES)
            assert rig.n_asked == 0


def test_no_key_is_that_of_other_parts() -> None:
    """What stands beside each other in a key cannot be moved from one part into the next."""
    request = SynthesisRequest(text=TEXT)
    pairs = [("a", "bc"), ("ab", "c"), ("abc", ""), ("", "abc")]
    keys = {
        key_of(
            Identity(engine=engine, model=model, version="1"), SpokenVoice(*voice), request, text
        )
        for engine, model in pairs
        for voice in pairs
        for text in ("a b", "ab", "b a", "a, b")
    }
    assert len(keys) == 4 * 4 * 4
    assert all(len(key) == 64 for key in keys)
