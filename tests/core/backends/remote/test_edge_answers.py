"""Answers of an edge, a server or a stranger in place of audio: each by its name, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import line_faults
import pytest
from fault_line import Moment
from remote_site import RemoteSite, listen
from spoken_texts import COUNTING, assert_whole

from vieneu_core.backends.remote import RetryPolicy
from vieneu_core.errors import (
    AuthenticationError,
    BackendBusyError,
    BackendError,
    BackendLoadingError,
    BackendUnavailableError,
    BadResponseError,
    DeviceMemoryError,
    FirstByteTimeoutError,
    InternalServerError,
    NotVieneuServerError,
    RateLimitedError,
    RedirectRefusedError,
    ServerTooNewError,
    TunnelError,
    TunnelLimitError,
    TunnelOfflineError,
    TunnelQuotaError,
    TunnelUpstreamError,
)
from vieneu_core.synthesis import SynthesisRequest

EDGE_FAULTS: dict[str, type[BackendError]] = {
    "ngrok_3200_offline": TunnelOfflineError,
    "ngrok_8012_upstream": TunnelUpstreamError,
    "ngrok_3004_incomplete": TunnelUpstreamError,
    "ngrok_734_rate": TunnelLimitError,
    "ngrok_727_requests": TunnelQuotaError,
    "ngrok_725_bandwidth": TunnelQuotaError,
    "ngrok_6024_browser": BadResponseError,
    "ngrok_9999_unknown": TunnelError,
    "cloudflare_1033_gone": TunnelOfflineError,
    "cloudflare_1033_page": TunnelOfflineError,
    "cloudflare_502_server_down": TunnelUpstreamError,
    "cloudflare_524_timeout": FirstByteTimeoutError,
    "cloudflare_429_in_flight": TunnelLimitError,
    "cloudflare_1015_rate": TunnelLimitError,
    "server_401_token": AuthenticationError,
    "server_401_bare": AuthenticationError,
    "server_500_memory": DeviceMemoryError,
    "server_500_bare": InternalServerError,
    "server_503_busy": BackendBusyError,
    "server_503_loading": BackendLoadingError,
    "server_newer": ServerTooNewError,
    "stranger_401_json": NotVieneuServerError,
    "stranger_403_page": NotVieneuServerError,
    "stranger_429": RateLimitedError,
    "gateway_502": TunnelUpstreamError,
    "gateway_503": BackendUnavailableError,
    "html_200": NotVieneuServerError,
    "redirect": RedirectRefusedError,
}
"""What comes in place of an answer; it can come again and again, so for every try."""
NO_WAITS = RetryPolicy(first_wait_s=0.001, longest_wait_s=0.5)


async def test_a_refusal_whose_page_is_lost_is_known_by_its_head(site: RemoteSite) -> None:
    head, _, _ = line_faults.edge_reply("ngrok_3200_offline").partition(b"\r\n\r\n")
    remote = await site.loaded()
    site.go_wrong(line_faults.reply_with(head + b"\r\n\r\n<!DOCTYPE"))

    _, error = await listen(remote.stream(SynthesisRequest(text=COUNTING)))

    assert type(error) is TunnelOfflineError


@pytest.mark.parametrize("name", EDGE_FAULTS)
async def test_another_answer_in_place_of_audio_has_a_name(site: RemoteSite, name: str) -> None:
    remote = await site.loaded(retries=NO_WAITS)
    site.go_wrong(line_faults.reply_with(line_faults.edge_reply(name)), times=8)

    got, error = await listen(remote.stream(SynthesisRequest(text=COUNTING)))

    assert type(error) is EDGE_FAULTS[name]
    assert got == []


@pytest.mark.parametrize("name", EDGE_FAULTS)
async def test_a_server_lost_between_two_requests_leaves_the_first_whole(
    site: RemoteSite, name: str
) -> None:
    remote = await site.loaded(retries=NO_WAITS)
    site.go_wrong(line_faults.reply_with(line_faults.edge_reply(name)), skip=1)
    site.go_wrong(line_faults.reply_with(line_faults.edge_reply(name)), times=8)
    first_done = asyncio.Event()

    async def typing() -> AsyncGenerator[str, None]:
        yield COUNTING[0] + " "
        yield COUNTING[1][:5]
        await first_done.wait()
        yield COUNTING[1][5:] + " " + COUNTING[2]

    heard_by = {Moment.DURING: asyncio.Event(), Moment.AFTER: first_done}
    got, error = await listen(remote.stream(SynthesisRequest(text=typing())), heard_by)

    assert type(error) is EDGE_FAULTS[name]
    assert_whole(got, COUNTING[:1])


@pytest.mark.parametrize(
    "name",
    ["server_503_loading", "ngrok_3200_offline", "ngrok_727_requests", "server_401_token"],
)
async def test_what_a_second_try_cannot_mend_is_told_at_once(site: RemoteSite, name: str) -> None:
    remote = await site.loaded()
    site.go_wrong(line_faults.reply_with(line_faults.edge_reply(name)), times=8)

    _, error = await listen(remote.stream(SynthesisRequest(text=COUNTING)))

    assert type(error) is EDGE_FAULTS[name]
    assert len(site.proxy.posts()) == 1
