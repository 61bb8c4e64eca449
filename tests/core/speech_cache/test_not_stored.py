"""What is never stored: speech that is not whole, or not of the chosen backend and voice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace as changed
from pathlib import Path

import pytest
from cache_rig import LOST, SENTENCES, TEXT, CacheRig, Voiced, cache_rig, is_away, spoken_by
from waiting import until

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.errors import (
    BackendError,
    BackendUnavailableError,
    SynthesisFailedError,
    TextTooLongError,
    UnpronounceableError,
)
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptStep


async def test_a_fallback_speaks_and_is_never_heard_again(rig: CacheRig) -> None:
    await rig.lose_remote()
    assert spoken_by(await rig.speak(), "local", *SENTENCES)
    assert await rig.n_stored() == 0

    await rig.router.load_backend("remote")

    assert spoken_by(await rig.speak(), "remote", *SENTENCES)
    assert spoken_by(await rig.speak(), "remote", *SENTENCES)


async def test_a_sentence_of_a_fallback_is_not_stored_with_the_others(rig: CacheRig) -> None:
    rig.remote.script = [ScriptStep(), ScriptStep(error=LOST)]

    mixed = await rig.speak()

    assert [speaker.backend for speaker in mixed.speakers] == ["remote", "local"]
    assert await rig.n_stored() == 1
    await rig.lose_remote()
    again = await rig.speak()
    assert [(s.backend, s.cached) for s in again.speakers] == [("remote", True), ("local", False)]


async def test_speech_without_a_sentence_that_nobody_can_pronounce(rig: CacheRig) -> None:
    mute = ScriptStep(error=UnpronounceableError("It has no sounds."))
    rig.local.always = rig.last.always = mute
    rig.remote.script = [ScriptStep(), mute]

    assert spoken_by(await rig.speak(), "remote", *SENTENCES[:1])
    assert await rig.n_stored() == 1

    await rig.backend.cache.clear()
    rig.remote.script = [ScriptStep(), mute]
    with pytest.raises(UnpronounceableError, match="Sentence 2 "):
        await rig.backend.prepare(SynthesisRequest(text=TEXT))
    assert await rig.n_stored() == 1

    assert spoken_by(await rig.speak(), "remote", *SENTENCES)
    assert await rig.n_stored() == 2


async def test_what_was_cut_off_and_begun_anew_is_stored_without_the_first_try(
    tmp_path: Path,
) -> None:
    class Stumbling(Voiced):
        async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            cut_off = changed(request, text="Đây là câu 19 nhé.")
            async for chunk in super().stream(cut_off):
                if chunk.final:
                    break
                yield chunk
            restarted = True
            async for chunk in super().stream(request):
                yield changed(chunk, restarted=restarted)
                restarted = False

    async with cache_rig(tmp_path, remote=Stumbling("remote")) as rig:
        assert spoken_by(await rig.speak(SENTENCES[:1]), "remote", *SENTENCES[:1])
        again = await rig.speak(SENTENCES[:1])

        assert again.speakers[0].cached
        assert spoken_by(again, "remote", *SENTENCES[:1])


@pytest.mark.parametrize(
    "step",
    [
        ScriptStep(error=SynthesisFailedError("It failed.")),
        ScriptStep(after_chunks=2, error=SynthesisFailedError("It failed.")),
        ScriptStep(after_chunks=2, truncate=True),
        ScriptStep(truncate=True),
    ],
    ids=["at once", "in the middle", "cut off in the middle", "without a word"],
)
async def test_what_failed_is_not_stored(tmp_path: Path, step: ScriptStep) -> None:
    async with cache_rig(tmp_path, fallback=False) as rig:
        rig.remote.always = step
        with pytest.raises(BackendError):
            await rig.speak()
        rig.remote.always = ScriptStep()

        assert await rig.n_stored() == 0
        await rig.router.load_backend("remote")
        assert spoken_by(await rig.speak(), "remote", *SENTENCES)


async def test_the_sentence_that_a_listener_left_is_not_stored(rig: CacheRig) -> None:
    held = asyncio.Event()
    rig.remote.script = [ScriptStep(), ScriptStep(after_chunks=2, hold=held)]
    async with aclosing(rig.backend.stream(SynthesisRequest(text=TEXT))) as chunks:
        while not (await anext(chunks)).final:
            pass
        await until(lambda: len(rig.remote.record.begun) == 2)

    assert await rig.n_stored() == 1
    assert [s.cached for s in (await rig.speak()).speakers] == [True, False]


async def test_what_was_cancelled_is_not_stored(rig: CacheRig) -> None:
    held = asyncio.Event()
    rig.remote.always = ScriptStep(after_chunks=2, hold=held)
    speaking = asyncio.create_task(rig.speak())
    await until(lambda: rig.remote.record.begun)

    speaking.cancel()
    await asyncio.gather(speaking, return_exceptions=True)

    assert speaking.cancelled()
    assert await rig.n_stored() == 0


async def test_speech_of_a_model_that_was_not_known_is_not_stored_as_the_old_one(
    rig: CacheRig,
) -> None:
    rig.remote.model = "another"  # restarted meanwhile, and the router has not noticed yet
    await rig.speak()
    assert await rig.n_stored() == 0

    await rig.change_remote(model="another")
    await rig.speak()

    assert await rig.n_stored() == 2


async def test_a_backend_that_changed_while_it_spoke_is_not_stored(rig: CacheRig) -> None:
    held = asyncio.Event()
    rig.remote.always = ScriptStep(after_chunks=2, hold=held)
    speaking = asyncio.create_task(rig.speak())
    await until(lambda: rig.remote.record.begun)

    rig.remote.version = "2.0"
    await rig.router.check("remote")
    held.set()
    await speaking

    assert await rig.n_stored() == 1, "the second sentence, which the new version has spoken"


async def test_an_older_server_that_names_no_model_is_stored_by_its_health(
    tmp_path: Path,
) -> None:
    class Older(Voiced):
        async def health(self) -> Health:
            self.model = "named"
            health = await super().health()
            self.model = ""
            return health

    async with cache_rig(tmp_path, remote=Older("remote")) as rig:
        await rig.speak()

        assert await rig.n_stored() == 2


async def test_a_backend_without_a_model_is_not_known(tmp_path: Path) -> None:
    async with cache_rig(tmp_path, remote=Voiced("remote", model="")) as rig:
        assert spoken_by(await rig.speak(), "remote", *SENTENCES)
        assert await rig.n_stored() == 0
        with pytest.raises(BackendUnavailableError, match="does not name its model"):
            await rig.backend.prepare(SynthesisRequest(text=TEXT))


async def test_what_takes_too_much_room_passes_through(rig: CacheRig) -> None:
    # A fiftieth of the cache is 200 kB, which holds no more than 800 kB of samples.
    rig.remote.sample_rate_hz = 192_000
    long_sentence = ("Đây là câu 11 nhé, " + "rất dài và rất lâu, " * 12,)
    speech = await rig.speak(long_sentence)
    assert len(speech.pcm) > 1_000_000
    assert await rig.n_stored() == 0
    with pytest.raises(TextTooLongError, match="at most 200000"):
        await rig.backend.prepare(SynthesisRequest(text=long_sentence))


async def test_a_text_that_is_no_announcement_passes_through(rig: CacheRig) -> None:
    await rig.speak((SENTENCES[0],) * 600)
    assert await rig.n_stored() == 0
    assert rig.backend.cache.stats().misses == 0

    with pytest.raises(TextTooLongError, match="10000"):
        await rig.backend.prepare(SynthesisRequest(text="câu 11 " * 2_000))


async def test_a_watermark_that_is_missing_is_not_stored(tmp_path: Path) -> None:
    class Unmarked(Voiced):
        async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            async for chunk in super().stream(request):
                yield changed(chunk, speaker=changed(chunk.speaker, watermarked=False))

    async with cache_rig(tmp_path, remote=Unmarked("remote")) as rig:
        await rig.speak(watermark=True)
        assert await rig.n_stored() == 0
        await rig.speak()
        assert await rig.n_stored() == 2


async def test_before_it_is_loaded_and_after_it_is_closed_nothing_is_replayed(
    tmp_path: Path,
) -> None:
    async with cache_rig(tmp_path) as rig:
        await rig.speak()
        await rig.backend.unload()
        with pytest.raises(BackendError, match="not loaded"):
            await rig.speak()
        await rig.backend.load()
        assert (await rig.speak()).speakers[0].cached
        async with aclosing(rig.backend.stream(SynthesisRequest(text=TEXT))) as chunks:
            await anext(chunks)
            await rig.backend.unload()
            with pytest.raises(BackendError, match="not loaded"):
                await collect(chunks)
    with pytest.raises(BackendError, match="closed"):
        await rig.speak()
    await rig.backend.aclose()


async def test_a_remote_that_never_was_there_has_no_identity(tmp_path: Path) -> None:
    remote = Voiced("remote")
    is_away(remote)
    async with cache_rig(tmp_path, remote=remote) as rig:
        assert spoken_by(await rig.speak(), "local", *SENTENCES)
        assert rig.router.status().backends[1].state is not BackendState.READY
        assert await rig.n_stored() == 0
