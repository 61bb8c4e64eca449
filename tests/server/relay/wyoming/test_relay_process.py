"""``vieneu-relay --wyoming`` itself: described, heard, replayed, and drained at its end."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest
from exposition import Exposed
from guard import GUARD_S
from relay_process import RelayProcess, relay_process
from server_site import TOKEN
from tone_engine import expected, same
from waiting import until
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize
from wyoming_site import Reply, say_whole

from vieneu_colab_server.exit_codes import EXIT_CONFIGURATION, EXIT_MAY_PASS
from vieneu_core.wire.routes import READYZ

SENTENCE = "Có khách ở cổng."
SETTINGS = """\
local:
  engine: tone_engine:create
  options: {{chunk_delay_s: {delay_s}}}
cache:
  enabled: true
  folder: {folder}
"""
OPTIONS = ("--wyoming=tcp://127.0.0.1:0",)
SERVED = re.compile(r"Wyoming clients are served at (tcp://127\.0\.0\.1:\d+)\.")


def settings(folder: Path, *, delay_s: float = 0.0) -> str:
    return SETTINGS.format(folder=folder / "speech", delay_s=delay_s)


async def wyoming_url(relay: RelayProcess) -> str:
    """Where Wyoming clients are served, once the voice is loaded."""
    await until(lambda: SERVED.search(relay.log))
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{relay.url}{READYZ}") as response:
                if response.status == HTTPStatus.OK:
                    break
            await asyncio.sleep(0.02)
    found = SERVED.search(relay.log)
    assert found is not None
    return found[1]


async def replays(relay: RelayProcess) -> float | None:
    """How many requests were replayed from the cache."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{relay.url}/metrics") as response,
    ):
        found = Exposed(await response.text())
    return found.value("vieneu_requests_total", outcome="ok", backend="local", source="cache")


async def test_the_relay_describes_its_voices_and_replays_what_it_has_said(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(GUARD_S),
        relay_process(tmp_path, settings(tmp_path), *OPTIONS) as relay,
        AsyncClient.from_uri(await wyoming_url(relay)) as client,
    ):
        await client.write_event(Describe().event())
        event = await client.read_event()
        assert event is not None
        (program,) = Info.from_event(event).tts
        assert "vi-low" in {voice.name for voice in program.voices}

        first = await say_whole(client, SENTENCE)
        assert same(first.tones, [expected(SENTENCE)])
        while not await replays(relay):  # it is stored in the background
            assert (await say_whole(client, SENTENCE)).pcm == first.pcm
        relay.terminate()
        assert await relay.ended() == 0
        assert "Traceback" not in relay.log


async def test_speech_that_runs_at_the_end_is_heard_whole(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(GUARD_S),
        relay_process(tmp_path, settings(tmp_path, delay_s=0.05), *OPTIONS) as relay,
        AsyncClient.from_uri(await wyoming_url(relay)) as client,
    ):
        await client.write_event(Synthesize(text=SENTENCE).event())
        got, stopping = Reply(), False
        while got.types[-1:] != ["audio-stop"]:
            event = await client.read_event()
            assert event is not None
            got.take(event)
            assert got.error is None
            if got.types == ["audio-start", "audio-chunk"] and not stopping:
                relay.terminate()
                stopping = True
        assert await relay.ended() == 0

    assert same(got.tones, [expected(SENTENCE)])


async def test_a_name_without_an_address_ends_it_with_a_clear_error(tmp_path: Path) -> None:
    relay = RelayProcess(tmp_path, "", "--wyoming-zeroconf=Nhà")
    with pytest.raises(RuntimeError, match="ended"):
        await relay.start()

    assert await relay.ended() == EXIT_CONFIGURATION
    assert "--wyoming-zeroconf needs --wyoming." in relay.log
    assert "Traceback" not in relay.log


async def test_an_address_that_the_machine_does_not_have_yet_ends_it_for_another_start(
    tmp_path: Path,
) -> None:
    relay = RelayProcess(tmp_path, settings(tmp_path), "--wyoming=tcp://192.0.2.1:10200")
    await relay.start()

    assert await relay.ended() == EXIT_MAY_PASS
    assert "error: The Wyoming server cannot listen on tcp://192.0.2.1:10200" in relay.log
    assert "Traceback" not in relay.log
