"""Everything that goes wrong between a home and a server behind a tunnel, made to happen.

Whatever it is and whenever it comes: a named error, no hang, and no part of a sentence that
passes for the whole of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import line_faults
import pytest
from fault_line import Act, Line, Moment
from remote_site import AT_ONCE, PATIENT, Site, listen, sentences_of, site_of
from tone_engine import expected, heard, same

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.remote import RemoteTimeouts, RetryPolicy
from vieneu_core.clock import SystemClock
from vieneu_core.errors import (
    AuthenticationError,
    BackendBusyError,
    BackendConnectionError,
    BackendError,
    BackendLoadingError,
    BackendUnavailableError,
    BadAudioError,
    BadResponseError,
    DeviceMemoryError,
    FirstByteTimeoutError,
    InternalServerError,
    NotVieneuServerError,
    RateLimitedError,
    RedirectRefusedError,
    ServerTooNewError,
    StreamInterruptedError,
    StreamStalledError,
    TooSlowError,
    TunnelError,
    TunnelLimitError,
    TunnelOfflineError,
    TunnelQuotaError,
    TunnelUpstreamError,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend

TEXT = ("Một hai ba bốn năm câu 4.", "Sáu bảy tám chín mười câu 5.", "Hết rồi câu 6.")
BRIEF = {
    "first_byte": RemoteTimeouts(connect_s=20, first_byte_s=0.6, between_chunks_s=20, behind_s=20),
    "stall": RemoteTimeouts(connect_s=20, first_byte_s=20, between_chunks_s=0.6, behind_s=20),
    "rate": RemoteTimeouts(connect_s=20, first_byte_s=20, between_chunks_s=20, behind_s=0.6),
}
LINE_FAULTS: list[tuple[str, Act, dict[Moment, type[BackendError]], RemoteTimeouts]] = [
    (
        "connection reset",
        line_faults.reset,
        {
            Moment.BEFORE: BackendConnectionError,
            Moment.DURING: StreamInterruptedError,
            Moment.AFTER: StreamInterruptedError,
        },
        PATIENT,
    ),
    (
        "closed without an end",
        line_faults.close_dirty,
        {
            Moment.BEFORE: BackendConnectionError,
            Moment.DURING: StreamInterruptedError,
            Moment.AFTER: StreamInterruptedError,
        },
        PATIENT,
    ),
    (
        "cut with a clean end",
        line_faults.end_clean,
        dict.fromkeys(Moment, StreamInterruptedError),
        PATIENT,
    ),
    ("broken chunks", line_faults.broken_chunks, {Moment.BEFORE: BadResponseError}, PATIENT),
    (
        "half-open",
        line_faults.half_open,
        {Moment.BEFORE: FirstByteTimeoutError},
        BRIEF["first_byte"],
    ),
    (
        "half-open",
        line_faults.half_open,
        {Moment.DURING: StreamStalledError, Moment.AFTER: StreamStalledError},
        BRIEF["stall"],
    ),
    ("slow trickle", line_faults.trickle(0.02), dict.fromkeys(Moment, TooSlowError), BRIEF["rate"]),
    ("garbage", line_faults.garbage, dict.fromkeys(Moment, BadResponseError), PATIENT),
    ("flipped bit", line_faults.bit_flip, dict.fromkeys(Moment, BadResponseError), PATIENT),
    (
        "web page inside",
        line_faults.web_page,
        {
            Moment.BEFORE: BadResponseError,
            Moment.DURING: StreamInterruptedError,  # it looks like the rest of a frame
            Moment.AFTER: BadResponseError,
        },
        PATIENT,
    ),
    ("gzip inside", line_faults.gzip_bytes, dict.fromkeys(Moment, BadResponseError), PATIENT),
    ("gzip told", line_faults.gzip_coded, {Moment.BEFORE: BadResponseError}, PATIENT),
    ("no HTTP", line_faults.not_http, {Moment.BEFORE: BadResponseError}, PATIENT),
    ("endless header", line_faults.endless_header, {Moment.BEFORE: BadResponseError}, PATIENT),
]
LINE_CASES = [
    pytest.param(act, moment, cls, limits, id=f"{name} {moment.value}")
    for name, act, by_moment, limits in LINE_FAULTS
    for moment, cls in by_moment.items()
]
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


def assert_whole(got: list[AudioChunk], text: tuple[str, ...]) -> None:
    """Each sentence that came with its end is heard from its start to its end."""
    for pcm, sentence in zip(sentences_of(got), text, strict=True):
        assert same(heard(pcm, got[0].sample_rate_hz), [expected(sentence)])


@pytest.mark.parametrize("codec", ["pcm", "opus"])
@pytest.mark.parametrize(("act", "moment", "cls", "limits"), LINE_CASES)
async def test_a_broken_line_has_a_name(
    site: Site,
    act: Act,
    moment: Moment,
    cls: type[BackendError],
    limits: RemoteTimeouts,
    codec: str,
) -> None:
    remote = await site.loaded(codec=codec, timeouts=limits, retries=AT_ONCE)
    heard_by = {Moment.DURING: asyncio.Event(), Moment.AFTER: asyncio.Event()}
    site.go_wrong(act, moment, times=8, gate=heard_by.get(moment))

    got, error = await listen(remote.stream(SynthesisRequest(text=TEXT)), heard_by)

    if codec == "opus" and act in {
        line_faults.gzip_bytes,
        line_faults.bit_flip,
        line_faults.garbage,
    }:
        # Opus packets are smaller than what is put into them: the frame may never be filled.
        assert isinstance(error, BadResponseError | StreamInterruptedError)
    else:
        assert type(error) is cls
    assert error is not None
    assert "localhost" in error.detail or isinstance(error, BadResponseError)
    assert error.backend == "remote"
    n_whole = 1 if moment is Moment.AFTER else 0
    assert_whole(got, TEXT[:n_whole])
    if moment is not Moment.BEFORE:
        assert len(site.proxy.posts()) == 1


@pytest.mark.parametrize("moment", [Moment.DURING, Moment.AFTER])
async def test_chunks_that_are_none_are_a_broken_line(site: Site, moment: Moment) -> None:
    remote = await site.loaded(timeouts=BRIEF["stall"])
    heard_by = {Moment.DURING: asyncio.Event(), Moment.AFTER: asyncio.Event()}
    site.go_wrong(line_faults.broken_chunks, moment, gate=heard_by[moment])

    got, error = await listen(remote.stream(SynthesisRequest(text=TEXT)), heard_by)

    # aiohttp closes the connection and may leave its reader waiting: then the limit names it.
    assert type(error) in {StreamInterruptedError, StreamStalledError}
    assert_whole(got, TEXT[: moment is Moment.AFTER])


def all_then(act: Act) -> Act:
    """Pass on the whole speech, but for the end of the answer."""

    async def whole(line: Line) -> None:
        async for data in line.rest:
            await line.send_chunk(data)
        await act(line)

    return whole


@pytest.mark.parametrize("act", [line_faults.close_dirty, line_faults.half_open])
async def test_a_line_that_breaks_behind_the_end_mark_takes_nothing_away(
    site: Site, act: Act
) -> None:
    remote = await site.loaded(timeouts=BRIEF["stall"])
    heard_by = {Moment.DURING: asyncio.Event(), Moment.AFTER: asyncio.Event()}
    site.go_wrong(all_then(act), Moment.AFTER, gate=heard_by[Moment.AFTER])

    got, error = await listen(remote.stream(SynthesisRequest(text=TEXT)), heard_by)

    assert error is None
    assert_whole(got, TEXT)


async def test_bytes_behind_the_end_mark_are_refused(site: Site) -> None:
    seen_end = asyncio.Event()

    async def more(line: Line) -> None:
        await seen_end.wait()
        await line.send_chunk(b"more")

    remote = await site.loaded()
    site.go_wrong(all_then(more), Moment.AFTER)
    got = []

    async def hear() -> None:
        async for chunk in remote.stream(SynthesisRequest(text=TEXT)):
            got.append(chunk)
            if chunk.final and chunk.sentence == len(TEXT) - 1:
                seen_end.set()

    with pytest.raises(BadResponseError, match="end mark"):
        await hear()
    assert_whole(got, TEXT)


async def test_a_refusal_whose_page_is_lost_is_known_by_its_head(site: Site) -> None:
    head, _, _ = line_faults.edge_reply("ngrok_3200_offline").partition(b"\r\n\r\n")
    remote = await site.loaded()
    site.go_wrong(line_faults.reply(head + b"\r\n\r\n<!DOCTYPE"))

    _, error = await listen(remote.stream(SynthesisRequest(text=TEXT)))

    assert type(error) is TunnelOfflineError


@pytest.mark.parametrize("name", EDGE_FAULTS)
async def test_another_answer_in_place_of_audio_has_a_name(site: Site, name: str) -> None:
    remote = await site.loaded(retries=NO_WAITS)
    site.go_wrong(line_faults.reply(line_faults.edge_reply(name)), times=8)

    got, error = await listen(remote.stream(SynthesisRequest(text=TEXT)))

    assert type(error) is EDGE_FAULTS[name]
    assert got == []


@pytest.mark.parametrize("name", EDGE_FAULTS)
async def test_a_server_lost_between_two_requests_leaves_the_first_whole(
    site: Site, name: str
) -> None:
    remote = await site.loaded(retries=NO_WAITS)
    site.go_wrong(line_faults.reply(line_faults.edge_reply(name)), skip=1)
    site.go_wrong(line_faults.reply(line_faults.edge_reply(name)), times=8)
    first_done = asyncio.Event()

    async def typing() -> AsyncGenerator[str, None]:
        yield TEXT[0] + " "
        yield TEXT[1][:5]
        await first_done.wait()
        yield TEXT[1][5:] + " " + TEXT[2]

    heard_by = {Moment.DURING: asyncio.Event(), Moment.AFTER: first_done}
    got, error = await listen(remote.stream(SynthesisRequest(text=typing())), heard_by)

    assert type(error) is EDGE_FAULTS[name]
    assert_whole(got, TEXT[:1])


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

    got, error = await listen(remote.stream(SynthesisRequest(text=TEXT)))

    assert error is None
    assert_whole(got, TEXT)
    sent = [seen.body for seen in site.proxy.posts()]
    assert len(sent) == times + 1
    assert len(set(sent)) == 1
    assert json.loads(sent[0])["request_id"]


async def test_a_third_try_is_the_last(site: Site) -> None:
    remote = await site.loaded()
    site.go_wrong(line_faults.reply(line_faults.edge_reply("gateway_503")), times=8)

    _, error = await listen(remote.stream(SynthesisRequest(text=TEXT)))

    assert type(error) is BackendUnavailableError
    assert len(site.proxy.posts()) == 3


@pytest.mark.parametrize(
    "name",
    ["server_503_loading", "ngrok_3200_offline", "ngrok_727_requests", "server_401_token"],
)
async def test_what_a_second_try_cannot_mend_is_told_at_once(site: Site, name: str) -> None:
    remote = await site.loaded()
    site.go_wrong(line_faults.reply(line_faults.edge_reply(name)), times=8)

    _, error = await listen(remote.stream(SynthesisRequest(text=TEXT)))

    assert type(error) is EDGE_FAULTS[name]
    assert len(site.proxy.posts()) == 1


class _TooShort(ScriptedBackend):
    """Speaks its second sentence, all of it, in 20 ms."""

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        async with aclosing(super().stream(request)) as chunks:
            async for chunk in chunks:
                if chunk.sentence == 1 and chunk.pcm:
                    continue
                pcm = b"\x00\x20" * 480 if chunk.sentence == 1 else chunk.pcm
                yield AudioChunk(pcm, 24_000, chunk.sentence, chunk.speaker, chunk.final)


@pytest.mark.parametrize("codec", ["pcm", "opus"])
async def test_degenerate_audio_is_no_sentence(codec: str) -> None:
    async with site_of(_TooShort()) as site:
        remote = await site.loaded(codec=codec)
        got, error = await listen(remote.stream(SynthesisRequest(text=TEXT)))
        assert len(site.proxy.posts()) == 1

    assert type(error) is BadAudioError
    assert_whole([c for c in got if c.sentence == 0], TEXT[:1])
    assert not any(c.final for c in got if c.sentence == 1)


async def test_a_listener_may_take_all_the_time_in_the_world(site: Site) -> None:
    limits = RemoteTimeouts(
        connect_s=20, first_byte_s=20, between_chunks_s=20, behind_s=20, total_s=60
    )
    clock = _LeapingClock()
    remote = await site.loaded(timeouts=limits, clock=clock)
    got = []

    async for chunk in remote.stream(SynthesisRequest(text=TEXT)):
        clock.leap_s += 3_600
        got.append(chunk)

    assert_whole(got, TEXT)


class _LeapingClock(SystemClock):
    """Hours pass when a test says so."""

    leap_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.leap_s
