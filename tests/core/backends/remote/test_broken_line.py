"""A line that breaks before, during or behind the audio: made to happen in every way there is.

Whatever it is and whenever it comes: a named error, no hang, and no part of a sentence that
passes for the whole of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import line_faults
import pytest
from fault_line import Act, Line, Moment
from remote_site import AT_ONCE, PATIENT, RemoteSite, listen, site_of
from spoken_texts import COUNTING, assert_whole

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.remote import RemoteTimeouts
from vieneu_core.errors import (
    BackendConnectionError,
    BackendError,
    BadAudioError,
    BadResponseError,
    FirstByteTimeoutError,
    StreamInterruptedError,
    StreamStalledError,
    TooSlowError,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend

BRIEF = {
    "first_byte": RemoteTimeouts(connect_s=20, first_byte_s=2, between_chunks_s=20, behind_s=20),
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


@pytest.mark.parametrize("codec", ["pcm", "opus"])
@pytest.mark.parametrize(("act", "moment", "cls", "limits"), LINE_CASES)
async def test_a_broken_line_has_a_name(
    site: RemoteSite,
    act: Act,
    moment: Moment,
    cls: type[BackendError],
    limits: RemoteTimeouts,
    codec: str,
) -> None:
    remote = await site.loaded(codec=codec, timeouts=limits, retries=AT_ONCE)
    heard_by = {Moment.DURING: asyncio.Event(), Moment.AFTER: asyncio.Event()}
    site.go_wrong(act, moment, times=8, gate=heard_by.get(moment))

    got, error = await listen(remote.stream(SynthesisRequest(text=COUNTING)), heard_by)

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
    assert_whole(got, COUNTING[:n_whole])
    if moment is not Moment.BEFORE:
        assert len(site.proxy.posts()) == 1


@pytest.mark.parametrize("moment", [Moment.DURING, Moment.AFTER])
async def test_chunks_that_are_none_are_a_broken_line(site: RemoteSite, moment: Moment) -> None:
    remote = await site.loaded(timeouts=BRIEF["stall"])
    heard_by = {Moment.DURING: asyncio.Event(), Moment.AFTER: asyncio.Event()}
    site.go_wrong(line_faults.broken_chunks, moment, gate=heard_by[moment])

    got, error = await listen(remote.stream(SynthesisRequest(text=COUNTING)), heard_by)

    # aiohttp closes the connection and may leave its reader waiting: then the limit names it.
    assert type(error) in {StreamInterruptedError, StreamStalledError}
    assert_whole(got, COUNTING[: moment is Moment.AFTER])


def all_then(act: Act) -> Act:
    """Pass on the whole speech, but for the end of the answer."""

    async def whole(line: Line) -> None:
        async for data in line.rest:
            await line.send_chunk(data)
        await act(line)

    return whole


@pytest.mark.parametrize("act", [line_faults.close_dirty, line_faults.half_open])
async def test_a_line_that_breaks_behind_the_end_mark_takes_nothing_away(
    site: RemoteSite, act: Act
) -> None:
    remote = await site.loaded(timeouts=BRIEF["stall"])
    heard_by = {Moment.DURING: asyncio.Event(), Moment.AFTER: asyncio.Event()}
    site.go_wrong(all_then(act), Moment.AFTER, gate=heard_by[Moment.AFTER])

    got, error = await listen(remote.stream(SynthesisRequest(text=COUNTING)), heard_by)

    assert error is None
    assert_whole(got, COUNTING)


async def test_bytes_behind_the_end_mark_are_refused(site: RemoteSite) -> None:
    seen_end = asyncio.Event()

    async def more(line: Line) -> None:
        await seen_end.wait()
        await line.send_chunk(b"more")

    remote = await site.loaded()
    site.go_wrong(all_then(more), Moment.AFTER)
    got = []

    async def receive() -> None:
        async for chunk in remote.stream(SynthesisRequest(text=COUNTING)):
            got.append(chunk)
            if chunk.final and chunk.sentence == len(COUNTING) - 1:
                seen_end.set()

    with pytest.raises(BadResponseError, match="end mark"):
        await receive()
    assert_whole(got, COUNTING)


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
        got, error = await listen(remote.stream(SynthesisRequest(text=COUNTING)))
        assert len(site.proxy.posts()) == 1

    assert type(error) is BadAudioError
    assert_whole([c for c in got if c.sentence == 0], COUNTING[:1])
    assert not any(c.final for c in got if c.sentence == 1)
