"""Admin API of the relay: backends, voices, the notebook and the stream of events."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import nbformat
import pytest
from guard import GUARD_S
from relay_site import RelaySite, relaying
from server_site import TOKEN
from voice_clips import clip, wav_file

from vieneu_colab_server.relay.guard import SESSION_COOKIE


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        yield site


async def test_a_backend_is_tested_unloaded_and_loaded(site: RelaySite) -> None:
    tested = await site.call("POST", "/backends/local/test")
    assert tested["seconds"] > 0
    await site.call("POST", "/backends/local/unload", status=204)
    status = await site.call("GET", "/status")
    assert {each["name"]: each["state"] for each in status["backends"]}["local"] == "unloaded"
    loaded = await site.call("POST", "/backends/local/load")
    assert loaded["state"] == "ready"
    assert (await site.call("POST", "/backends/local/check"))["state"] == "ready"


@pytest.mark.parametrize("action", ["test", "load", "unload", "check"])
async def test_a_backend_that_is_not_there_is_named(site: RelaySite, action: str) -> None:
    problem = await site.call("POST", f"/backends/moon/{action}", status=503)
    assert "moon" in problem["detail"]


async def test_a_voice_is_added_listed_and_removed(site: RelaySite) -> None:
    body = {
        "audio_base64": _clip(),
        "transcript": "Xin chào các bạn.",
        "name": "Bà Ngoại",
    }
    added = await site.call("POST", "/voices", status=201, json=body)
    listed = await site.call("GET", "/voices")
    assert [voice["name"] for voice in listed["voices"]] == ["Bà Ngoại"]
    await site.call("DELETE", f"/voices/{added['id']}", status=204)
    assert (await site.call("GET", "/voices"))["voices"] == []
    await site.call("DELETE", f"/voices/{added['id']}", status=404)


async def test_the_status_says_when_other_voices_may_be_usable(site: RelaySite) -> None:
    async def version() -> str:
        return str((await site.call("GET", "/status"))["voices_version"])

    seen = [await version()]
    assert await version() == seen[0]
    site.administration.voices.add("Bà Ngoại", clip())
    seen.append(await version())
    await site.call("POST", "/backends/local/unload", status=204)
    seen.append(await version())
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    "changes",
    [{"audio_base64": "no base64!"}, {"audio_base64": "AAAA"}, {"name": " "}, {"transcript": ""}],
)
async def test_a_clip_that_cannot_be_used_is_refused(
    site: RelaySite, changes: dict[str, str]
) -> None:
    body = {"audio_base64": _clip(), "transcript": "Xin chào.", "name": "Bà", **changes}
    problem = await site.call("POST", "/voices", status=422, json=body)
    assert problem["detail"]


async def test_a_notebook_is_made_for_download(site: RelaySite) -> None:
    async with site.api("POST", "/notebook", json={"language": "vi"}) as answer:
        assert answer.status == 200
        assert "attachment" in answer.headers["Content-Disposition"]
        text = await answer.text()
    nbformat.validate(json.loads(text))
    assert TOKEN not in text


async def test_a_wrong_choice_for_the_notebook_is_named(site: RelaySite) -> None:
    problem = await site.call("POST", "/notebook", status=422, json={"engine": "steam"})
    assert "engine" in problem["detail"]


async def test_events_reach_every_listener_and_are_not_sent_twice(site: RelaySite) -> None:
    first, second = await asyncio.gather(*(_events(site, "BackendStateChanged") for _ in range(2)))
    assert first == second
    await site.call("POST", "/backends/local/unload", status=204)
    again = await _events(site, "BackendStateChanged", after=first[0])
    assert again[0] != first[0]
    assert again[1]["time"] > first[1]["time"]


async def test_events_go_on_after_a_restart_of_the_relay(tmp_path: Path) -> None:
    async with relaying(tmp_path) as before:
        await before.call("POST", "/backends/local/unload", status=204)
        await before.call("POST", "/backends/local/load")
        last = ""
        for _ in range(3):
            last, _ = await _events(before, "BackendStateChanged", after=last)
    async with relaying(tmp_path) as after:
        first = await _events(after, "BackendStateChanged")
        assert await _events(after, "BackendStateChanged", after=last) == first
        assert first[0] != last


@pytest.mark.parametrize("unknown", ["", "0", "7", "no id", "x" * 4_000])
async def test_an_unknown_id_means_from_the_beginning(site: RelaySite, unknown: str) -> None:
    first = await _events(site, "BackendStateChanged")
    assert await _events(site, "BackendStateChanged", after=unknown) == first


async def test_a_stream_of_events_ends_when_the_relay_stops(site: RelaySite) -> None:
    async with site.api("GET", "/events") as stream:
        await stream.content.readline()
        site.server.stop()
        await stream.content.read()
    await site.task


async def test_a_stream_of_events_ends_with_the_session(site: RelaySite) -> None:
    session = site.account.log_in_with_code(site.account.new_code().get_secret_value())
    cookies = {SESSION_COOKIE: session.get_secret_value()}
    async with (
        aiohttp.ClientSession(cookies=cookies) as browser,
        browser.get(f"{site.url}/relay/api/events") as stream,
    ):
        assert stream.status == 200
        await stream.content.readline()
        site.account.log_out(session.get_secret_value())
        async with asyncio.timeout(GUARD_S):
            await stream.content.read()


async def test_no_secret_is_in_the_description_of_the_api(site: RelaySite) -> None:
    async with site.session.get(f"{site.url}/relay/openapi.json") as answer:
        assert answer.status == 200
        assert TOKEN not in await answer.text()


def _clip() -> str:
    return base64.b64encode(wav_file()).decode()


async def _events(site: RelaySite, kind: str, after: str = "") -> tuple[str, dict[str, Any]]:
    """Return id and values of the first event of a kind after an id."""
    headers = {"Last-Event-ID": after}
    async with site.api("GET", "/events", headers=headers) as stream:
        return await _first(stream, kind)


async def _first(stream: aiohttp.ClientResponse, kind: str) -> tuple[str, dict[str, Any]]:
    event_id = ""
    async for line in stream.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            event_id = value
        elif name == "data" and json.loads(value)["event"] == kind:
            return event_id, json.loads(value)
    raise AssertionError("The stream ended.")
