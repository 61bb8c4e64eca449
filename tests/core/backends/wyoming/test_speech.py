"""What a Wyoming server speaks is heard, in whatever form its samples are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from tone_engine import expected, heard, same
from tones import tone
from waiting import until
from wyoming.info import Info
from wyoming_voice import CHANNELS, RATE_HZ, VoiceSite, wyoming_program, wyoming_voice

from vieneu_core.audio.mixing import ChannelMixer
from vieneu_core.backends.base import BackendState
from vieneu_core.backends.wyoming import WyomingBackend
from vieneu_core.backends.wyoming.sentence_audio import SampleFormat
from vieneu_core.errors import (
    BackendConnectionError,
    BackendNotLoadedError,
    CloningUnsupportedError,
    EmptyTextError,
    HostNotFoundError,
    ModelLoadError,
    UnpronounceableError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
)
from vieneu_core.synthesis import ReferenceAudio, Speech, SynthesisRequest, collect
from vieneu_core.testing.tone import sentence_tone
from vieneu_core.text.spoken import spoken

SENTENCES = ("Đây là câu 11 nhé.", "Còn đây là câu 12 nhé.")


@asynccontextmanager
async def speaking(**fields: object) -> AsyncIterator[tuple[WyomingBackend, VoiceSite]]:
    async with (
        wyoming_voice() as site,
        WyomingBackend(site.url, **fields) as backend,  # type: ignore[arg-type]
    ):
        yield backend, site


async def say(backend: WyomingBackend, text: str | tuple[str, ...], **fields: object) -> Speech:
    return await collect(backend.stream(SynthesisRequest(text=text, **fields)))  # type: ignore[arg-type]


async def test_each_sentence_is_asked_for_by_itself_and_heard_whole() -> None:
    async with speaking() as (backend, site):
        speech = await say(backend, " ".join(SENTENCES))

        assert site.spoken.texts == [spoken(text, "vi") for text in SENTENCES]
        assert same(heard(speech.pcm, RATE_HZ), [expected(text) for text in SENTENCES])
        assert speech.sample_rate_hz == RATE_HZ
        assert {s.voice for s in speech.speakers} == {"vi_VN-vais1000-medium"}
        assert {(s.engine, s.model) for s in speech.speakers} == {("wyoming", "piper 1.6.3")}


async def test_the_server_gets_text_that_it_can_read() -> None:
    async with speaking() as (backend, site):
        await say(backend, "Máy `bơm` **đang** chạy.")
        assert site.spoken.texts == ["máy bơm đang chạy."]

    def shout(sentence: str, language: str) -> str:
        return f"{sentence.upper()} {language}"

    async with speaking(prepare=shout) as (backend, site):
        await say(backend, "Xin chào.", language="en")
        assert site.spoken.texts == ["XIN CHÀO. en"]


@pytest.mark.parametrize("raises", [False, True])
async def test_a_sentence_of_which_nothing_is_left_is_not_sent(raises: bool) -> None:
    def nothing_of_the_first(sentence: str, language: str) -> str:
        del language
        if "11" in sentence and raises:
            raise EmptyTextError("Nothing is left.")
        return " " if "11" in sentence else sentence

    async with speaking(prepare=nothing_of_the_first) as (backend, site):
        speech = await say(backend, SENTENCES)

        assert site.spoken.texts == [SENTENCES[1]]
        assert [chunk.sentence for chunk in speech.chunks if chunk.final] == [0, 1]
        assert same(heard(speech.pcm, RATE_HZ), [expected(SENTENCES[1])])


async def test_a_sentence_without_sounds_is_left_out() -> None:
    async with speaking() as (backend, _):
        speech = await say(backend, ("unsayable", SENTENCES[0]))
        assert same(heard(speech.pcm, RATE_HZ), [expected(SENTENCES[0])])

        with pytest.raises(UnpronounceableError):
            await say(backend, "unsayable")


async def test_a_sentence_is_heard_while_it_is_made() -> None:
    async with speaking() as (backend, _):
        request = SynthesisRequest(text="Câu này stalls giữa chừng.")
        async with aclosing(backend.stream(request)) as chunks:
            assert (await anext(chunks)).pcm


async def test_speed_is_made_here() -> None:
    async with speaking() as (backend, _):
        slow, fast = [await say(backend, SENTENCES[0], speed=speed) for speed in (1.0, 2.0)]

    assert fast.seconds == pytest.approx(slow.seconds / 2, rel=0.05)
    assert heard(fast.pcm, RATE_HZ)[0].hz == expected(SENTENCES[0]).hz


@pytest.mark.parametrize(
    ("fields", "language", "voice"),
    [
        ({}, "vi", "vi_VN-vais1000-medium"),
        ({}, "en-GB", "en_US-lessac-medium"),
        ({"default_voice": "vi_VN-vivos-x_low"}, "vi", "vi_VN-vivos-x_low"),
        ({"default_voice": "gone"}, "vi", "vi_VN-vais1000-medium"),
    ],
)
async def test_without_a_name_the_voice_of_the_settings_or_language_speaks(
    fields: dict[str, str], language: str, voice: str
) -> None:
    async with speaking(**fields) as (backend, site):
        await say(backend, SENTENCES[0], language=language)

        assert site.spoken.voices == [voice]
        missing = (await backend.health()).missing_voice
        assert missing == ("gone" if fields.get("default_voice") == "gone" else None)


async def test_its_voices_for_our_languages_are_listed() -> None:
    async with speaking(default_voice="vi_VN-vivos-x_low") as (backend, site):
        ids = [voice.id for voice in await backend.voices()]
        assert ids == ["vi_VN-vivos-x_low", "vi_VN-vais1000-medium", "en_US-lessac-medium"]

        await say(backend, SENTENCES[0], voice="en_US-lessac-medium")
        assert site.spoken.voices == ["en_US-lessac-medium"]
        with pytest.raises(VoiceNotFoundError, match="vi_VN-vivos-x_low"):
            await say(backend, SENTENCES[0], voice="de_DE-thorsten-medium")


async def test_a_voice_that_is_added_later_is_listed() -> None:
    async with speaking() as (backend, site):
        voices = site.info.tts[0].voices
        voices.append(replace(voices[0], name="vi_VN-moi"))

        assert "vi_VN-moi" in [voice.id for voice in await backend.voices()]
        await say(backend, SENTENCES[0], voice="vi_VN-moi")


@pytest.mark.parametrize("info", [Info(), None])
async def test_a_server_without_a_voice_for_us_is_refused(info: Info | None) -> None:
    async with wyoming_voice(voices={"de_DE-thorsten-medium": ["de_DE"]}) as site:
        site.info = info or site.info
        with pytest.raises(ModelLoadError, match="no voice that speaks Vietnamese"):
            await WyomingBackend(site.url).load()


async def test_what_it_cannot_do_is_refused() -> None:
    clip = ReferenceAudio(pcm=tone(440, 4, 16_000), sample_rate_hz=16_000, transcript="Xin chào.")
    async with speaking() as (backend, _):
        with pytest.raises(CloningUnsupportedError):
            await say(backend, SENTENCES[0], reference=clip)
        with pytest.raises(WatermarkUnavailableError):
            await say(backend, SENTENCES[0], watermark=True)
    async with speaking(watermark_required=False) as (backend, _):
        assert not (await say(backend, SENTENCES[0], watermark=True)).speakers[0].watermarked


async def test_a_listener_who_leaves_ends_the_connection() -> None:
    async with speaking() as (backend, site):

        def has_come(text: str) -> bool:
            return spoken(text, "vi") in site.spoken.texts

        for text in ("Câu này stalls giữa chừng.", "Câu này hangs luôn."):
            waiting = asyncio.create_task(say(backend, text))
            await until(partial(has_come, text))
            waiting.cancel()
            await asyncio.wait({waiting})
            await until(lambda: site.spoken.n_open == 0)
        assert (await backend.health()).queue_depth == 0


async def test_it_speaks_again_once_its_server_is_back() -> None:
    with wyoming_program() as (url, kill):
        backend = WyomingBackend(url)
        await backend.load()
        assert (await backend.health()).state is BackendState.READY
        kill()
        with pytest.raises(BackendConnectionError, match="cannot be reached"):
            await backend.health()
        with pytest.raises(BackendConnectionError) as raised:
            await say(backend, SENTENCES[0])
        assert raised.value.backend == "local"
    with wyoming_program(int(url.rpartition(":")[2])) as (_, kill):
        assert (await say(backend, SENTENCES[0])).seconds > 0.5
        await backend.unload()
        with pytest.raises(BackendNotLoadedError):
            await say(backend, SENTENCES[0])
    await backend.aclose()


async def test_a_host_that_is_not_known() -> None:
    with pytest.raises(HostNotFoundError, match="no-such-host"):
        await WyomingBackend("tcp://no-such-host.internal:10200").load()


# --- forms of samples ------------------------------------------------------------------------


def wide(n_bytes: int) -> Callable[[bytes], bytes]:
    def widen(pcm: bytes) -> bytes:
        return b"".join(bytes(n_bytes - 2) + pcm[at : at + 2] for at in range(0, len(pcm), 2))

    return widen


@pytest.mark.parametrize(
    ("width", "widen"), [(2, bytes), (3, wide(3)), (4, wide(4))], ids=["16", "24", "32"]
)
def test_samples_of_any_width(width: int, widen: Callable[[bytes], bytes]) -> None:
    pcm = tone(440, 0.1, 16_000)

    assert SampleFormat(16_000, width, 1).mono(widen(pcm), ChannelMixer(1)) == pcm


def test_channels_are_mixed() -> None:
    left, right = (1_000).to_bytes(2, "little"), (-3_000).to_bytes(2, "little", signed=True)

    mono = SampleFormat(16_000, 2, 2).mono((left + right) * 5, ChannelMixer(2))

    assert mono == (-1_000).to_bytes(2, "little", signed=True) * 5


@pytest.mark.parametrize("speed", [1.0, 1.25])
@pytest.mark.parametrize("word", CHANNELS)
async def test_a_voice_on_several_channels_is_heard_whole(word: str, speed: float) -> None:
    text = f"Đây là câu 11 nhé {word}."
    async with speaking() as (backend, _):
        speech = await say(backend, text, speed=speed)

    (sound,) = heard(speech.pcm, RATE_HZ)
    assert sound.hz == pytest.approx(expected(text).hz, rel=0.02)
    loudest = np.abs(np.frombuffer(speech.pcm, "<i2")).max()
    alone = np.abs(np.frombuffer(sentence_tone(spoken(text, "vi")).pcm(RATE_HZ), "<i2")).max()
    assert loudest >= 0.45 * alone
