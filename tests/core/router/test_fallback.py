"""Fallback backends: when one speaks, with which voice, and when none does."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from router_rig import (
    SENTENCES,
    RouterRig,
    assert_heard,
    lost,
    speakers,
)

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.base import BackendState
from vieneu_core.errors import (
    AllBackendsFailedError,
    BackendConnectionError,
    EmptyTextError,
    UnpronounceableError,
    VoiceNotFoundError,
    WorkerDiedError,
)
from vieneu_core.router import (
    Mode,
    RouterPolicy,
    SpokenByFallback,
)
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.voices import Voice


async def test_the_last_resort_speaks_where_both_fail_at_the_rate_of_the_stream() -> None:
    async with RouterRig() as rig:
        rig.remote.script = [ScriptStep(), ScriptStep(at_sentence=1, error=lost())]
        rig.remote.always = ScriptStep(error=lost())
        rig.local.always = ScriptStep(error=WorkerDiedError("crashed"))
        chunks = await rig.speak(voice="vi-tone")
        assert_heard(chunks)
        assert speakers(chunks) == ["remote"] * 2 + ["last_resort"] * 4
        assert {chunk.sample_rate_hz for chunk in chunks} == {24_000}
        assert chunks[-1].speaker.voice == "vi-north"


async def test_a_backend_is_told_whether_another_one_can_go_on() -> None:
    async with RouterRig(policy=RouterPolicy(retry_for_s=0.0)) as rig:
        await rig.speak()
        assert all(request.replaceable for request in rig.remote.record.requests)

        rig.router.set_fallback(enabled=False)
        rig.remote.record.requests.clear()
        await rig.speak(replaceable=True)  # to whoever asks it is, but not to this router

        assert rig.remote.record.requests
        assert not any(request.replaceable for request in rig.remote.record.requests)


async def test_a_fallback_speaks_the_language_that_was_asked_for() -> None:
    async with RouterRig() as rig:
        rig.remote.always = rig.local.always = ScriptStep(error=lost())
        chunks = await rig.speak("The door is open.", voice="en-tone", language="en")
        assert chunks[-1].speaker.voice == "en-us"


async def test_a_fallback_that_cannot_clone_or_watermark_still_speaks_as_last_resort() -> None:
    async with RouterRig() as rig:
        rig.remote.clones = rig.remote.watermarks = True
        rig.remote.always = ScriptStep(error=lost())
        clip = ReferenceAudio(pcm=b"\0\1" * 100, sample_rate_hz=16_000, transcript="a")
        chunks = await rig.speak("Xin chào.", reference=clip, watermark=True)
        assert speakers(chunks) == ["last_resort"]
        assert not chunks[-1].speaker.watermarked
        assert chunks[-1].speaker.fallback


async def test_a_local_fallback_never_drops_the_watermark_that_was_asked_for() -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(error=lost())
        rig.remote.watermarks = rig.local.watermarks = True
        chunks = await rig.speak("Xin chào.", watermark=True)
        assert speakers(chunks) == ["local"]
        assert chunks[-1].speaker.watermarked


async def test_the_callers_mistake_is_the_callers_and_no_fallback_speaks() -> None:
    async with RouterRig() as rig:
        with pytest.raises(VoiceNotFoundError, match="vi-tone, en-tone"):
            await rig.speak(voice="nobody")
        for empty in ("", "  \n", "\x00\x07"):
            with pytest.raises(EmptyTextError):
                await rig.speak(empty)
        assert rig.local.record.begun == rig.last.record.begun == []
        assert rig.router.status().backend("remote").circuit == "closed"  # type: ignore[union-attr]


GRANDMOTHER = Voice(id="ba-ngoai", name="Bà Ngoại", language="vi")


async def test_a_voice_that_only_another_backend_has_is_spoken_there() -> None:
    async with RouterRig() as rig:
        rig.local._voices += (GRANDMOTHER,)
        long = " ".join(f"Đây là câu {n} của bản tin hôm nay, đọc rất chậm." for n in range(40))
        chunks = await rig.speak(long, voice="ba-ngoai")

        assert set(speakers(chunks)) == {"local"}
        assert len(speakers(chunks)) == 40
        assert {chunk.speaker.voice for chunk in chunks} == {"ba-ngoai"}
        assert len(rig.local.record.requests) > 1, "it came in passages"
        assert len(rig.remote.record.requests) == 1, "and was asked for there once"
        causes = {e.cause.code for e in rig.published(SpokenByFallback) if e.cause}  # type: ignore[attr-defined]
        assert causes == {"voice_not_found"}
        assert rig.router.status().backend("remote").circuit == "closed"  # type: ignore[union-attr]
        assert speakers(await rig.speak("Xin chào.")) == ["remote"]


async def test_a_voice_whose_backend_has_failed_is_replaced_by_any_other() -> None:
    async with RouterRig() as rig:
        rig.last.sample_rate_hz = 24_000  # no thread resamples while the clock goes on
        rig.local._voices += (GRANDMOTHER,)
        rig.local.always = ScriptStep(error=WorkerDiedError("local crashed"), at_sentence=2)
        chunks = await rig.speak(voice="ba-ngoai")

        assert_heard(chunks)
        assert speakers(chunks) == [*["local"] * 3, *["last_resort"] * 3]


async def test_reference_audio_is_spoken_with_where_it_can_be() -> None:
    async with RouterRig() as rig:
        rig.local.clones = True
        reference = ReferenceAudio(pcm=b"\0\0" * 48_000, sample_rate_hz=16_000, transcript="A.")
        chunks = await rig.speak("Xin chào.", reference=reference)

        assert speakers(chunks) == ["local"]
        assert chunks[-1].speaker.voice == "reference"


async def test_when_no_backend_can_speak_every_cause_is_reported_and_nothing_is_silent() -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(error=lost("remote is gone"))
        rig.local.always = ScriptStep(error=WorkerDiedError("local crashed"))
        rig.last.always = ScriptStep(error=WorkerDiedError("last crashed"))
        with pytest.raises(AllBackendsFailedError) as caught:
            await rig.speak()
        assert [type(cause) for cause in caught.value.causes] == [
            BackendConnectionError,
            WorkerDiedError,
            WorkerDiedError,
        ]
        assert "remote is gone" in str(caught.value)
        assert rig.clock.monotonic() > 5_006  # it did not give up at once


async def test_a_moment_without_anyone_is_waited_out_not_lost() -> None:
    async with RouterRig() as rig:
        died = ScriptStep(error=WorkerDiedError("crashed"))
        rig.remote.always = ScriptStep(error=lost())
        rig.local.script, rig.last.script = [died] * 4, [died] * 3
        chunks = await rig.speak()
        assert_heard(chunks)


async def test_without_fallback_the_failure_is_the_backends_own() -> None:
    async with RouterRig(policy=RouterPolicy(fallback_enabled=False, retry_for_s=0)) as rig:
        rig.remote.always = ScriptStep(error=lost("the remote is gone"))
        with pytest.raises(BackendConnectionError, match="the remote is gone") as caught:
            await rig.speak()
        assert caught.value.backend == "remote"
        assert rig.local.record.requests == []


async def test_after_a_failure_the_rest_of_the_request_does_not_ask_the_broken_one_first() -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(error=lost())
        await rig.speak()
        assert len(rig.remote.record.requests) == 1


@pytest.mark.parametrize("at", [0, 2, 4])
async def test_a_sentence_that_one_cannot_pronounce_is_all_that_the_next_one_speaks(
    at: int,
) -> None:
    class Latin(ScriptedBackend):
        async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
            async with aclosing(super().stream(request)) as chunks:
                async for chunk in chunks:
                    assert isinstance(request.text, tuple)
                    if request.text[chunk.sentence] == SENTENCES[at]:
                        raise UnpronounceableError("No sounds.")
                    yield chunk

    async with RouterRig() as rig:
        await rig.router.set_remote(Latin(name="remote", clock=rig.clock))
        chunks = await rig.speak()

        assert_heard(chunks)
        expected_names = ["remote"] * len(SENTENCES)
        expected_names[at] = "local"
        assert speakers(chunks) == expected_names
        status = rig.router.status().backend("remote")
        assert status is not None
        assert status.state.ready


@pytest.mark.parametrize(
    ("wish", "asked", "heard_voice"),
    [
        ("en-tone", None, "en-tone"),
        ("ba-ngoai", None, "vi-tone"),
        ("en-tone", "vi-tone", "vi-tone"),
    ],
)
async def test_a_fallback_keeps_the_voice_of_the_admin_where_it_has_it(
    wish: str, asked: str | None, heard_voice: str
) -> None:
    policy = RouterPolicy(fallback=("remote",), fallback_voice=wish)
    async with RouterRig(Mode.LOCAL, policy) as rig:
        first = await rig.speak(voice=asked)
        assert {chunk.speaker.voice for chunk in first} == {"vi-tone"}, "not of the admin's choice"
        rig.local.always = ScriptStep(error=lost())
        chunks = await rig.speak(voice=asked)

    assert set(speakers(chunks)) == {"remote"}
    assert {chunk.speaker.voice for chunk in chunks} == {heard_voice}


async def test_without_a_remote_the_mode_remote_is_spoken_by_fallbacks_and_says_so() -> None:
    async with RouterRig() as rig:
        await rig.router.set_remote(None)
        chunks = await rig.speak()
        assert_heard(chunks)
        assert all(chunk.speaker.fallback for chunk in chunks)
        status = rig.router.status()
        assert status.backend("remote").state is BackendState.NOT_CONFIGURED  # type: ignore[union-attr]
        assert status.fallback_active
