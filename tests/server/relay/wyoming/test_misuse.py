"""Clients that send what is no event, too much, too little, or in the wrong order."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import pytest
from guard import GUARD_S
from tone_engine import expected, same
from wyoming.client import AsyncClient
from wyoming.ping import Ping
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop
from wyoming_site import WyomingSite, reply, say_whole, serving_wyoming, write

from vieneu_colab_server.relay.wyoming.events import MAX_SKIPPED_BYTES
from vieneu_core.testing.scripted import ScriptedBackend

SENTENCE = "Đây là câu 7."
TONES = [expected(SENTENCE)]


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\n",
        b"\xff\xfe\x00\n",
        b"[1, 2]\n",
        b"null\n",
        b'{"type": 5}\n',
        b'{"data": {}}\n',
        b"{" * 5_000 + b"\n",
        b"[" * 60_000 + b"\n",
        b'{"type": "describe", "data": 7}\n',
        b'{"type": "describe", "data_length": -1}\n',
        b'{"type": "describe", "data_length": true}\n',
        b'{"type": "describe", "data_length": 1e9}\n',
        b'{"type": "describe", "payload_length": "9"}\n',
        b'{"type": "describe", "data_length": ' + b"9" * 5_000 + b"}\n",
        b'{"type": "describe", "data_length": 2}\n[]',
        b'{"type": "describe", "data_length": 3}\n{,}',
        b"x" * 200_000,
        f'{{"type": "x", "payload_length": {MAX_SKIPPED_BYTES + 1}}}\n'.encode(),
        f'{{"type": "x", "data_length": {MAX_SKIPPED_BYTES + 1}}}\n'.encode() + b"y" * 99_999,
    ],
)
async def test_what_is_no_event_is_refused_and_the_server_goes_on(
    wyoming: WyomingSite, garbage: bytes
) -> None:
    async with wyoming.raw() as raw:
        await raw.send(garbage)
        answer = await raw.rest()
        header, _, data = answer.partition(b"\n")
        assert json.loads(header)["type"] == "error"
        assert json.loads(data)["code"] == "invalid_request"
    async with wyoming.client() as client:
        assert same((await say_whole(client, SENTENCE)).tones, TONES)


async def test_events_that_are_unknown_are_dropped_with_all_that_they_carry(
    wyoming: WyomingSite, backend: ScriptedBackend
) -> None:
    async with wyoming.raw() as raw:
        await raw.event("audio-chunk", {"rate": 1}, payload_length=300_000)
        await raw.send(b"\n" * 300_000)
        await raw.event("detection", None, data_length=200_000)
        await raw.send(b"{" * 200_000)
        await raw.event("ping", {"text": "a"})
        assert await raw.next_event() == {"type": "pong", "text": "a"}
        await raw.event("synthesize", {"text": SENTENCE})
        assert (await raw.next_event())["type"] == "audio-start"
    assert [request.text for request in backend.record.requests] == [SENTENCE]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "text is not a text"),
        ({"text": 5}, "text is not a text"),
        ({"text": ["a"]}, "text is not a text"),
        ({"text": "a \ud800"}, "half of a surrogate pair"),
        ({"text": "a", "voice": "vi-tone"}, "voice of a request is not an object"),
        ({"text": "a", "voice": {"name": 7}}, "name is not a text"),
        ({"text": "a", "voice": {"name": "x" * 300}}, "name has more than 256"),
        ({"text": "a", "voice": {"name": ""}}, "voice is empty"),
        ({"text": "a", "voice": {"language": {}}}, "language is not a text"),
        ({"text": "a", "text_format": []}, "Only plain text"),
        ({"text": "a", "text_format": "markdown"}, "Only plain text"),
    ],
)
async def test_fields_of_the_wrong_type_are_refused_and_the_connection_goes_on(
    wyoming: WyomingSite, data: dict[str, object], words: str
) -> None:
    async with wyoming.raw() as raw:
        await raw.event("synthesize", data)
        refused = await raw.next_event()
        await raw.event("ping", {"text": "x"})
        assert (await raw.next_event())["type"] == "pong"
    assert refused["type"] == "error"
    assert words in refused["text"]


@pytest.mark.parametrize("text", [7, "\udc00"])
async def test_a_ping_that_cannot_be_repeated_is_refused(
    wyoming: WyomingSite, text: object
) -> None:
    async with wyoming.raw() as raw:
        await raw.event("ping", {"text": text})
        assert (await raw.next_event())["code"] == "invalid_request"


async def test_a_text_may_be_as_long_as_the_limit_and_no_longer(backend: ScriptedBackend) -> None:
    async with serving_wyoming(backend, max_text_chars=30) as site, site.client() as client:
        text = SENTENCE.ljust(30)
        assert same((await say_whole(client, text)).tones, TONES)
        assert (await say_whole(client, f"{text}!")).code == "text_too_long"
        assert (await say_whole(client, "x" * 100_000)).code == "text_too_long"
        assert (await say_whole(client, "x" * 1_000_000)).code == "text_too_long"
        await write(client, text[:15], "", text[15:])
        assert same((await reply(client, "synthesize-stopped")).tones, TONES)
        await write(client, text[:15], text[15:], "!", "!!")
        assert (await reply(client, "synthesize-stopped")).code == "text_too_long"
        await write(client, "x" * 1_000_000)
        assert (await reply(client, "synthesize-stopped")).code == "text_too_long"
        assert same((await say_whole(client, text)).tones, TONES)


async def test_data_of_a_start_that_is_too_long_is_refused_and_not_forgotten(
    wyoming: WyomingSite,
) -> None:
    async with wyoming.raw() as raw:
        for kind in ("synthesize-start", "ping"):
            await raw.event(kind, None, data_length=200_000)
            await raw.send(b" " * 200_000)
            assert (await raw.next_event())["code"] == "invalid_request"


@pytest.mark.parametrize("n_pieces", [0, 1])
async def test_requests_behind_a_text_that_is_open_do_not_hold_a_connection(
    wyoming: WyomingSite, n_pieces: int
) -> None:
    async with wyoming.raw() as raw, asyncio.timeout(GUARD_S):
        await raw.event("synthesize-start", {})
        for _ in range(n_pieces):
            await raw.event("synthesize-chunk", {"text": "Xin chào "})
        for _ in range(12):
            await raw.event("describe", None)
        kinds = [(await raw.next_event())["type"] for _ in range(13)]

    assert sorted(kinds) == ["error", *["info"] * 12]


@pytest.mark.parametrize("n_pieces", [0, 2])
async def test_pieces_without_a_start_are_one_error(client: AsyncClient, n_pieces: int) -> None:
    for _ in range(n_pieces):
        await client.write_event(SynthesizeChunk(text=SENTENCE).event())
    await client.write_event(SynthesizeStop().event())

    refused = await reply(client)
    assert refused.error is not None
    assert "without synthesize-start" in refused.error.text
    assert same((await say_whole(client, SENTENCE)).tones, TONES)


async def test_a_second_start_ends_the_first_text_with_an_error(client: AsyncClient) -> None:
    await client.write_event(SynthesizeStart().event())
    await client.write_event(SynthesizeChunk(text="Câu này ").event())
    await write(client, SENTENCE)

    first = await reply(client, "synthesize-stopped")
    assert first.error is not None
    assert "came before synthesize-stop" in first.error.text
    assert same((await reply(client, "synthesize-stopped")).tones, TONES)


async def test_a_text_that_does_not_go_on_is_given_up(backend: ScriptedBackend) -> None:
    async with serving_wyoming(backend, text_timeout_s=0.05) as site, site.client() as client:
        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeChunk(text="Câu này ").event())
        given_up = await reply(client)
        await client.write_event(SynthesizeStop().event())

        assert given_up.error is not None
        assert "No more text" in given_up.error.text
        assert same((await say_whole(client, SENTENCE)).tones, TONES)


@pytest.mark.parametrize("kept_alive_by", [Ping(), SynthesizeChunk(text="")])
async def test_other_events_keep_no_text_open(
    backend: ScriptedBackend, kept_alive_by: Ping | SynthesizeChunk
) -> None:
    async with serving_wyoming(backend, text_timeout_s=0.05) as site, site.client() as client:
        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeChunk(text="Câu này ").event())
        given_up = asyncio.create_task(reply(client))
        while not given_up.done():
            await client.write_event(kept_alive_by.event())
            await asyncio.sleep(0)
        error = (await given_up).error

    assert error is not None
    assert "No more text arrived within 0.05 s" in error.text


async def test_a_text_that_does_not_begin_is_given_up(backend: ScriptedBackend) -> None:
    """Only later: nobody waits for it, and a language model may think for long."""
    async with (
        serving_wyoming(backend, text_timeout_s=0.01, idle_timeout_s=0.1) as site,
        site.client() as client,
    ):
        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeChunk(text=" ").event())
        given_up = await reply(client)

    assert given_up.error is not None
    assert "within 0.1 s" in given_up.error.text


@pytest.mark.parametrize(
    "part", [b"{", b'{"type": "describe", "data_length": 9}\n{"a"', b'{"type": "describe"']
)
async def test_an_event_that_is_sent_by_half_is_not_waited_for(
    backend: ScriptedBackend, part: bytes
) -> None:
    async with serving_wyoming(backend, event_timeout_s=0.05) as site, site.raw() as raw:
        await raw.send(part)
        assert b"was not complete" in await raw.rest()


async def test_a_client_that_does_nothing_is_disconnected(backend: ScriptedBackend) -> None:
    async with serving_wyoming(backend, idle_timeout_s=0.05) as site, site.raw() as raw:
        assert await raw.rest() == b""


async def test_more_clients_than_allowed_are_refused_with_the_reason(
    backend: ScriptedBackend,
) -> None:
    async with (
        serving_wyoming(backend, max_connections=1) as site,
        site.client() as first,
    ):
        assert same((await say_whole(first, SENTENCE)).tones, TONES)
        async with site.raw() as second:
            assert b"1 clients are connected already" in await second.rest()
        await first.write_event(Synthesize(text=SENTENCE).event())
        assert same((await reply(first)).tones, TONES)


async def test_silent_connections_make_room_for_a_client(backend: ScriptedBackend) -> None:
    async with serving_wyoming(backend, max_connections=4) as site, AsyncExitStack() as opened:
        silent = [await opened.enter_async_context(site.raw()) for _ in range(7)]
        async with site.client() as client:
            assert same((await say_whole(client, SENTENCE)).tones, TONES)
        assert await silent[0].rest() == b""
