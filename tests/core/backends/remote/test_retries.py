"""Failures before the audio are tried again: three times in all, and unheard."""

from __future__ import annotations

import json

import line_faults
import pytest
from fault_line import Act
from remote_site import Site, listen
from spoken_texts import COUNTING, assert_whole

from vieneu_core.errors import BackendUnavailableError
from vieneu_core.synthesis import SynthesisRequest


@pytest.mark.parametrize("codec", ["pcm", "opus"])
@pytest.mark.parametrize(
    "act",
    [
        line_faults.reset,
        line_faults.close_dirty,
        line_faults.end_clean,
        line_faults.reply(line_faults.edge_reply("gateway_502")),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
async def test_two_failures_before_the_audio_are_not_heard(
    site: Site, act: Act, times: int, codec: str
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


async def test_a_third_try_is_the_last(site: Site) -> None:
    remote = await site.loaded()
    site.go_wrong(line_faults.reply(line_faults.edge_reply("gateway_503")), times=8)

    _, error = await listen(remote.stream(SynthesisRequest(text=COUNTING)))

    assert type(error) is BackendUnavailableError
    assert len(site.proxy.posts()) == 3
