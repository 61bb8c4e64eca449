"""Every backend: texts, voices and speeds that can be asked for, and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from backend_cases import BackendCase
from contract_checks import TWO, all_chunks, speech_of
from guard import GUARD_S
from tone_engine import expected, heard, same

from vieneu_core.audio.silence import SILENCE_S, SILENT_ENGINE
from vieneu_core.backends.base import Backend, synthesize
from vieneu_core.errors import (
    CloningUnsupportedError,
    EmptyTextError,
    InvalidRequestError,
    NothingToSayError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
)
from vieneu_core.router import Router
from vieneu_core.speech_cache import CachedBackend
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest

EMPTY: tuple[str | tuple[str, ...], ...] = ("", "  \n ", "\x07\x00", (), ("", " "))
SIGNS: tuple[str | tuple[str, ...], ...] = ("... !?", "👍", ("…", "!"))


async def test_text_without_speech_is_refused(backend: Backend) -> None:
    async def typed() -> AsyncIterator[str]:
        yield "  "

    for text in (*EMPTY, typed()):
        with pytest.raises(EmptyTextError):
            await all_chunks(backend, SynthesisRequest(text=text))


async def test_signs_alone_are_nothing_to_say_or_a_routers_silence(backend: Backend) -> None:
    for text in SIGNS:
        if isinstance(backend, Router | CachedBackend):
            [chunk] = await all_chunks(backend, SynthesisRequest(text=text))
            assert (chunk.speaker.engine, chunk.seconds) == (SILENT_ENGINE, SILENCE_S)
            assert not any(chunk.pcm)
        else:
            with pytest.raises(NothingToSayError):
                await all_chunks(backend, SynthesisRequest(text=text))


async def test_an_unknown_voice_is_refused_with_the_list_of_those_that_exist(
    backend: Backend,
) -> None:
    with pytest.raises(VoiceNotFoundError) as caught:
        await all_chunks(backend, SynthesisRequest(text=TWO[0], voice="no-such-voice"))

    assert "no-such-voice" in caught.value.detail
    assert all(voice.id in caught.value.detail for voice in await backend.voices())


async def test_each_voice_can_be_asked_for_and_is_named_in_the_result(backend: Backend) -> None:
    for voice in await backend.voices():
        chunks = await all_chunks(backend, SynthesisRequest(text="Xin chào bạn.", voice=voice.id))

        assert {chunk.speaker.voice for chunk in chunks} == {voice.id}


async def test_the_default_voice_is_the_first_and_follows_the_language(backend: Backend) -> None:
    voices = await backend.voices()
    first_english = next(voice for voice in voices if voice.language == "en")

    vietnamese = await all_chunks(backend, SynthesisRequest(text="Xin chào."))
    english = await all_chunks(backend, SynthesisRequest(text="Good morning.", language="en-GB"))

    assert voices[0].language == "vi"
    assert vietnamese[0].speaker.voice == voices[0].id
    assert english[0].speaker.voice == first_english.id


@pytest.mark.parametrize("speed", [0.49, 2.01, 0.0, -1.0, float("nan")])
def test_a_speed_out_of_range_never_reaches_a_backend(speed: float) -> None:
    with pytest.raises(InvalidRequestError):
        SynthesisRequest(text=TWO[0], speed=speed)


async def test_speed_changes_the_length_and_not_the_pitch(
    backend: Backend, case: BackendCase
) -> None:
    plain = await speech_of(backend, TWO[0])

    for speed in (0.5, 2.0):
        async with asyncio.timeout(GUARD_S):
            changed = await synthesize(backend, SynthesisRequest(text=TWO[0], speed=speed))

        assert changed.seconds == pytest.approx(plain.seconds / speed, rel=0.15)
        if case.tones:
            tones = heard(changed.pcm, changed.sample_rate_hz)
            assert same(tones, [expected(TWO[0], speed=speed)], tolerance_s=0.12), tones


async def test_what_it_cannot_do_is_refused_and_not_left_out(backend: Backend) -> None:
    clip = ReferenceAudio(pcm=bytes(48_000), sample_rate_hz=24_000, transcript="Xin chào.")

    with contextlib.suppress(WatermarkUnavailableError):  # refused, or in all that is heard
        marked = await synthesize(backend, SynthesisRequest(text=TWO[0], watermark=True))
        assert all(speaker.watermarked for speaker in marked.speakers)
    with pytest.raises(CloningUnsupportedError):
        await all_chunks(backend, SynthesisRequest(text=TWO[0], reference=clip))
