"""Requests: voices, reference audio, watermark; and what the health reports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fake_clock import FakeClock
from local_rig import TWO, Make, check_speaks, say
from tone_engine import expected, heard, same

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import (
    VoiceNotFoundError,
)
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest
from vieneu_core.voices.catalogue import VoiceCatalogue


async def test_reference_audio_and_watermark_reach_an_engine_that_can(make: Make) -> None:
    backend = make(clones=True, watermarks=True)
    await backend.load()
    clip = ReferenceAudio(pcm=bytes(96_000), sample_rate_hz=24_000, transcript="Xin chào.")

    speech = await synthesize(
        backend, SynthesisRequest(text=TWO, reference=clip, watermark=True, speed=1.25)
    )

    assert {(c.speaker.voice, c.speaker.watermarked) for c in speech.chunks} == {
        ("reference", True)
    }


async def test_an_error_of_the_text_itself_comes_through_and_frees_the_worker(make: Make) -> None:
    backend = make()
    await backend.load()

    async def typed() -> AsyncIterator[str]:
        yield "Đây là câu 1. Và đây "
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await synthesize(backend, SynthesisRequest(text=typed()))
    await check_speaks(backend)


async def test_health_shows_device_and_uptime(make: Make, clock: FakeClock) -> None:
    backend = make(clock=clock)
    assert (await backend.health()).engine is None
    await backend.load()
    await clock.advance(12.0)

    health = await backend.health()

    assert (health.engine, health.model, health.accelerator) == ("tone", "sine", "Tuning Fork")
    assert (health.gpu_memory_used_gb, health.gpu_memory_total_gb) == (0.25, 1.0)
    assert health.uptime_s == pytest.approx(12.0)


async def test_the_sample_rate_is_that_of_the_engine(make: Make) -> None:
    backend = make(sample_rate_hz=48_000)
    await backend.load()

    speech = await say(backend, *TWO)

    assert speech.sample_rate_hz == 48_000
    assert same(heard(speech.pcm, 48_000), [expected(s) for s in TWO])


async def spoken_with(backend: LocalBackend, **fields: str) -> str:
    speech = await synthesize(backend, SynthesisRequest(text="Xin chào.", **fields))  # type: ignore[arg-type]
    return speech.speakers[0].voice


async def test_the_default_voice_speaks_what_names_no_voice(make: Make) -> None:
    backend = make(default_voice="en-low")
    await backend.load()

    assert (await backend.health()).missing_voice is None
    assert [voice.id for voice in await backend.voices()] == ["en-low", "vi-low", "vi-high"]
    assert await spoken_with(backend) == "en-low"
    assert await spoken_with(backend, voice="vi-high") == "vi-high"


async def test_a_default_voice_that_is_missing_is_reported_and_silences_nobody(make: Make) -> None:
    backend = make(default_voice="ba-ngoai")
    assert (await backend.health()).missing_voice is None, "nothing is known before it is loaded"
    await backend.load()

    assert (await backend.health()).missing_voice == "ba-ngoai"
    assert await spoken_with(backend) == "vi-low"
    assert await spoken_with(backend, language="en-GB") == "en-low"
    with pytest.raises(VoiceNotFoundError, match="vi-low, vi-high, en-low"):
        await spoken_with(backend, voice="ba-ngoai")


async def test_an_added_voice_may_be_the_default_while_it_is_there(
    make: Make, tmp_path: Path
) -> None:
    added = VoiceCatalogue(tmp_path)
    clip = ReferenceAudio(pcm=b"\1\0" * 48_000, sample_rate_hz=16_000, transcript="Xin chào.")
    added.add("Bà Ngoại", clip)
    backend = make(voices=added, default_voice="ba-ngoai", clones=True)
    fixed = make(voices=added, default_voice="ba-ngoai")
    await backend.load()
    await fixed.load()

    assert (await backend.health()).missing_voice is None
    assert (await backend.voices())[0].id == "ba-ngoai"
    assert await spoken_with(backend) == "ba-ngoai"
    with pytest.raises(VoiceNotFoundError, match="ba-ngoai, vi-low"):
        await spoken_with(backend, voice="ba-noi")
    assert (await fixed.health()).missing_voice == "ba-ngoai", "its engine does not clone"
    assert await spoken_with(fixed) == "vi-low"

    added.remove("ba-ngoai")
    assert (await backend.health()).missing_voice == "ba-ngoai"
    assert await spoken_with(backend) == "vi-low"
