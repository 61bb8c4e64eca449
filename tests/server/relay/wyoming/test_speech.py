"""What a Wyoming client hears: whole texts, texts that are still being written, voices."""

from __future__ import annotations

import pytest
from tone_engine import expected, same
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeTextFormat,
    SynthesizeVoice,
)
from wyoming_site import Reply, WyomingSite, reply, say_whole, serving_wyoming, write

from vieneu_colab_server import __version__
from vieneu_core.audio.silence import SILENCE_S
from vieneu_core.errors import ModelLoadError, SynthesisFailedError
from vieneu_core.router import Router
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SENTENCES = tuple(f"Đây là câu {n} của bản tin." for n in range(3))
TEXT = " ".join(SENTENCES)
TONES = [expected(sentence) for sentence in SENTENCES]
WHOLE = ["audio-start", "audio-chunk", "audio-stop"]


async def test_the_service_describes_its_voices(client: AsyncClient) -> None:
    await client.write_event(Describe().event())
    event = await client.read_event()
    assert event is not None
    info = Info.from_event(event)

    (program,) = info.tts
    assert program.name == "VieNeu Relay"
    assert program.installed
    assert program.supports_synthesize_streaming
    assert program.version == __version__
    assert program.attribution.url.startswith("https://")
    assert [(v.name, v.description, v.languages, v.installed) for v in program.voices] == [
        ("vi-tone", "Âm thử", ["vi"], True),
        ("en-tone", "Test tone", ["en"], True),
    ]


async def test_a_whole_text_is_heard_whole(client: AsyncClient) -> None:
    spoken = await say_whole(client, TEXT)

    assert spoken.types == WHOLE
    assert same(spoken.tones, TONES)


async def test_the_first_sentence_is_heard_before_the_second_is_written(
    client: AsyncClient,
) -> None:
    got = Reply()
    await client.write_event(SynthesizeStart().event())
    await client.write_event(SynthesizeChunk(text=f"{SENTENCES[0]} Đây là ").event())
    while not (got.pcm and same(got.tones, TONES[:1])):
        event = await client.read_event()
        assert event is not None
        got.take(event)
    await client.write_event(SynthesizeChunk(text="câu 1 của bản tin.").event())
    await client.write_event(SynthesizeStop().event())

    while got.types[-1] != "synthesize-stopped":
        event = await client.read_event()
        assert event is not None
        got.take(event)
    assert got.types == [*WHOLE, "synthesize-stopped"]
    assert same(got.tones, TONES[:2])


async def test_the_whole_text_that_is_sent_once_more_is_not_spoken_twice(
    client: AsyncClient, backend: ScriptedBackend
) -> None:
    """Home Assistant sends it within a text in pieces, for servers that take no pieces."""
    await client.write_event(SynthesizeStart().event())
    await client.write_event(SynthesizeChunk(text=TEXT).event())
    await client.write_event(Synthesize(text=TEXT).event())
    await client.write_event(SynthesizeStop().event())

    assert same((await reply(client, "synthesize-stopped")).tones, TONES)
    assert same((await say_whole(client, SENTENCES[0])).tones, TONES[:1])
    assert len(backend.record.requests) == 2


async def test_requests_of_one_client_are_answered_in_order(client: AsyncClient) -> None:
    for sentence in SENTENCES:
        await client.write_event(Synthesize(text=sentence).event())
    await write(client, "Đây là ", "câu 0 của bản tin.")

    for tone in TONES:
        assert same((await reply(client)).tones, [tone])
    assert same((await reply(client, "synthesize-stopped")).tones, TONES[:1])


async def test_a_ping_is_answered_while_a_text_is_written(client: AsyncClient) -> None:
    await client.write_event(SynthesizeStart().event())
    await client.write_event(Ping(text="đây").event())
    event = await client.read_event()
    assert event is not None
    assert Pong.from_event(event).text == "đây"

    await client.write_event(Ping().event())
    event = await client.read_event()
    assert event is not None
    assert Pong.from_event(event).text is None


@pytest.mark.parametrize(
    ("voice", "spoken_by"),
    [
        (None, "vi-tone"),
        (SynthesizeVoice(name="en-tone"), "en-tone"),
        (SynthesizeVoice(language="en"), "en-tone"),
        (SynthesizeVoice(language="vi_VN"), "vi-tone"),
        (SynthesizeVoice(), "vi-tone"),
    ],
)
async def test_a_voice_is_chosen_by_its_name_or_its_language(
    client: AsyncClient, backend: ScriptedBackend, voice: SynthesizeVoice | None, spoken_by: str
) -> None:
    await say_whole(client, "một", voice=voice)
    await write(client, "hai", voice=voice)
    await reply(client, "synthesize-stopped")

    voices = {"vi": "vi-tone", "en": "en-tone"}
    asked = [r.voice or voices[r.language.partition("-")[0]] for r in backend.record.requests]
    assert asked == [spoken_by] * 2


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"voice": SynthesizeVoice(name="nobody")}, "voice_not_found", "It has: vi-tone, en-tone"),
        ({"voice": SynthesizeVoice(language="xx")}, "invalid_request", "not one of: vi, en"),
        (
            {"voice": SynthesizeVoice(name="vi-tone", speaker="An")},
            "voice_not_found",
            "There is no speaker 'An'",
        ),
        ({"text_format": SynthesizeTextFormat.SSML}, "invalid_request", "Only plain text"),
    ],
)
async def test_what_cannot_be_spoken_is_an_error_and_never_silence(
    client: AsyncClient, fields: dict[str, object], code: str, words: str
) -> None:
    whole = await say_whole(client, TEXT, **fields)
    await write(client, *SENTENCES, **fields)
    in_pieces = await reply(client, "synthesize-stopped")

    for refused in (whole, in_pieces):
        assert refused.types == ["error"]
        assert refused.error is not None
        assert (refused.code, words in refused.error.text) == (code, True)
    assert same((await say_whole(client, SENTENCES[0])).tones, TONES[:1]), "the connection goes on"


@pytest.mark.parametrize("text", ["", "   "])
async def test_an_empty_text_is_an_error(client: AsyncClient, text: str) -> None:
    assert (await say_whole(client, text)).code == "empty_text"
    await write(client, text)
    assert (await reply(client)).code == "empty_text"


@pytest.mark.parametrize("text", ["…!", "👍", "<br/>"])
async def test_signs_alone_are_a_short_silence(backend: ScriptedBackend, text: str) -> None:
    router = Router(local=backend)
    async with serving_wyoming(router) as site, site.client() as client:
        whole = await say_whole(client, text)
        await write(client, text)
        in_pieces = await reply(client, "synthesize-stopped")
    for answer in (whole, in_pieces):
        assert "error" not in answer.types
        assert len(answer.pcm) == pytest.approx(2 * SILENCE_S * 24_000)
        assert not any(answer.pcm)


async def test_a_backend_that_fails_midway_is_an_error_and_the_next_request_is_spoken(
    client: AsyncClient, backend: ScriptedBackend
) -> None:
    error = SynthesisFailedError("No tone for this.")
    backend.script = [ScriptStep(at_sentence=1, after_chunks=1, error=error)]
    failed = await say_whole(client, TEXT)
    spoken = await say_whole(client, TEXT)

    assert failed.types == ["audio-start", "audio-chunk", "error"]
    assert failed.code == "synthesis_failed"
    assert same(spoken.tones, TONES)


async def test_a_text_whose_speech_failed_is_dropped_until_its_end(
    client: AsyncClient, backend: ScriptedBackend
) -> None:
    backend.script = [ScriptStep(error=SynthesisFailedError("No tone for this."))]
    await client.write_event(SynthesizeStart().event())
    await client.write_event(SynthesizeChunk(text=f"{SENTENCES[0]} ").event())
    await client.write_event(SynthesizeChunk(text=f"{SENTENCES[1]} ").event())
    assert (await reply(client)).code == "synthesis_failed"
    await client.write_event(SynthesizeChunk(text=SENTENCES[2]).event())
    await client.write_event(Synthesize(text=TEXT).event())
    await client.write_event(SynthesizeStop().event())

    assert same((await say_whole(client, SENTENCES[0])).tones, TONES[:1])
    assert len(backend.record.requests) == 2


@pytest.mark.parametrize("n_chunks", [0, 1])
async def test_speech_that_ends_without_its_end_is_an_error(
    client: AsyncClient, backend: ScriptedBackend, n_chunks: int
) -> None:
    backend.script = [ScriptStep(after_chunks=n_chunks, truncate=True)]
    failed = await say_whole(client, TEXT)

    assert failed.code == "interrupted"
    assert "audio-stop" not in failed.types


async def test_voices_that_cannot_be_listed_are_an_error(backend: ScriptedBackend) -> None:
    async with serving_wyoming(backend) as site, site.client() as client:
        await backend.unload()
        await client.write_event(Describe().event())
        refused = await reply(client, "info")
        await backend.load()
        await client.write_event(Describe().event())

        assert refused.code == "not_loaded"
        assert (await reply(client, "info")).error is None


async def test_errors_are_described_in_the_language_of_the_server(
    backend: ScriptedBackend,
) -> None:
    backend.script = [ScriptStep(error=ModelLoadError("The text is empty."))]
    async with serving_wyoming(backend, language="vi") as site, site.client() as client:
        refused = await say_whole(client, "một")
        unknown = await say_whole(client, "một", voice=SynthesizeVoice(name="x"))

    assert refused.error is not None
    assert refused.error.text.startswith("Văn bản trống.")
    assert unknown.error is not None
    assert "không có giọng 'x'" in unknown.error.text


async def test_the_name_of_a_voice_goes_before_its_language(
    wyoming: WyomingSite, backend: ScriptedBackend
) -> None:
    async with wyoming.raw() as raw:
        voice = {"name": "en-tone", "language": "xx"}
        await raw.event("synthesize", {"text": "một", "voice": voice})
        assert (await raw.next_event())["type"] == "audio-start"
    assert [request.voice for request in backend.record.requests] == ["en-tone"]


async def test_behind_the_router_a_text_in_pieces_survives_a_failing_backend() -> None:
    error = SynthesisFailedError("No tone for this.")
    local = ScriptedBackend([ScriptStep(at_sentence=0, after_chunks=1, error=error)], name="local")
    router = Router(local=local, last_resort=ScriptedBackend(name="last_resort"))
    async with serving_wyoming(router) as site, site.client() as client:
        await write(client, *(f"{sentence} " for sentence in SENTENCES))
        spoken = await reply(client, "synthesize-stopped")
        unknown = await say_whole(client, TEXT, voice=SynthesizeVoice(name="nobody"))

    assert same(spoken.tones[-3:], TONES)
    assert spoken.error is None
    assert unknown.code == "voice_not_found"
