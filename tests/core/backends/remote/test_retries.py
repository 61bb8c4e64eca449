"""Failures before the audio are tried again: three times in all, and unheard."""

from __future__ import annotations

import asyncio
import json
import random

import line_faults
import pytest
from fault_line import Act
from remote_site import PATIENT, RemoteSite, listen
from server_site import TOKEN, serving
from spoken_texts import COUNTING, assert_whole
from waiting import until

from vieneu_core.backends.remote import RemoteBackend, RemoteTimeouts, RetryPolicy
from vieneu_core.errors import (
    BackendBusyError,
    BackendError,
    BackendLoadingError,
    BackendUnavailableError,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


@pytest.mark.parametrize("codec", ["pcm", "opus"])
@pytest.mark.parametrize(
    "act",
    [
        line_faults.reset,
        line_faults.close_dirty,
        line_faults.end_clean,
        line_faults.reply_with(line_faults.edge_reply("gateway_502")),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
async def test_two_failures_before_the_audio_are_not_heard(
    site: RemoteSite, act: Act, times: int, codec: str
) -> None:
    remote = await site.loaded(codec=codec)
    site.go_wrong(act, times=times)

    got, error = await listen(remote.stream(SynthesisRequest(text=COUNTING)))

    assert error is None
    assert_whole(got, COUNTING)
    sent = [seen.body for seen in site.proxy.posts()]
    assert len(sent) == times + 1
    assert len(set(sent)) == 1
    assert json.loads(sent[0])["request_id"]


async def test_a_third_try_is_the_last(site: RemoteSite) -> None:
    remote = await site.loaded()
    site.go_wrong(line_faults.reply_with(line_faults.edge_reply("gateway_503")), times=8)

    _, error = await listen(remote.stream(SynthesisRequest(text=COUNTING)))

    assert type(error) is BackendUnavailableError
    assert len(site.proxy.posts()) == 3


@pytest.mark.parametrize(
    ("error", "waited_s", "retried"),
    [
        (BackendBusyError("busy", retry_after_s=0.5), 0.0, True),
        (BackendBusyError("busy", retry_after_s=0.5), 4.5, False),
        (BackendBusyError("busy", retry_after_s=2.0), 0.1, False),
        (BackendLoadingError("loading", retry_after_s=1.2), 0.0, True),
        (BackendLoadingError("loading", retry_after_s=1.2), 1.2, False),
    ],
)
def test_a_busy_or_loading_server_is_asked_again_only_if_the_listener_has_not_waited_yet(
    error: BackendError, waited_s: float, retried: bool
) -> None:
    wait_s = RetryPolicy().wait_s(
        error, 1, random.Random(1), waited_s=waited_s, remaining_s=60.0 - waited_s
    )

    assert (wait_s is not None) is retried


async def test_a_request_that_waited_for_its_turn_in_vain_is_sent_once() -> None:
    hold = asyncio.Event()
    voice = ScriptedBackend([ScriptStep(hold=hold)])
    async with serving(voice, max_concurrent=1, retry_after_s=0.01, replay_grace_s=0.01) as served:
        # It holds its turn for as long as the test takes, however slow the machine is.
        other = RemoteBackend(served.url, TOKEN, timeouts=PATIENT, codec="pcm")
        remote = RemoteBackend(
            served.url,
            TOKEN,
            timeouts=RemoteTimeouts(first_byte_s=2.0),
            retries=RetryPolicy(busy_within_s=0.1),
            codec="pcm",
        )
        await other.load()
        await remote.load()
        first = asyncio.create_task(listen(other.stream(SynthesisRequest(text=COUNTING))))
        await until(lambda: voice.in_flight == 1)
        n_before = served.service.traffic.n_requests

        _, error = await listen(remote.stream(SynthesisRequest(text=COUNTING)))

        assert type(error) is BackendBusyError
        assert served.service.traffic.n_requests == n_before + 1
        hold.set()
        await first
        await other.aclose()
        await remote.aclose()
