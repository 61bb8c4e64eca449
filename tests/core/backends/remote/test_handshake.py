"""What a server says of itself before it speaks: token, version, health."""

from __future__ import annotations

import json
import logging

import pytest
from remote_site import RemoteSite, json_reply
from server_site import TOKEN

from vieneu_core.backends.base import BackendState, Health
from vieneu_core.errors import (
    AuthenticationError,
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    BackendNotLoadedError,
    BackendUnavailableError,
    BadResponseError,
    ModelLoadError,
    NotVieneuServerError,
    ServerTooNewError,
    ServerTooOldError,
    SessionEndingError,
)


async def test_a_wrong_token_is_told_and_never_shown(
    site: RemoteSite, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    remote = site.client(token="wr0ng-token")

    with pytest.raises(AuthenticationError) as caught:
        await remote.load()
    with pytest.raises(AuthenticationError):
        await remote.health()

    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {caplog.text} {remote!r}"
    assert "wr0ng-token" not in shown
    assert TOKEN not in shown


@pytest.mark.parametrize(
    ("version", "cls"),
    [(b"0.3", ServerTooOldError), (b"2.0", ServerTooNewError), (b"", NotVieneuServerError)],
)
async def test_versions_that_do_not_match_are_told_apart(
    site: RemoteSite, version: bytes, cls: type[BackendError]
) -> None:
    site.proxy.rewrite = (rb"(?i)vieneu-wire-version: 1.0", b"Vieneu-Wire-Version: " + version)

    with pytest.raises(cls) as caught:
        await site.client().load()

    assert caught.value.remedy
    assert caught.value.backend == "remote"


async def test_a_newer_minor_version_is_understood(site: RemoteSite) -> None:
    site.proxy.rewrite = (rb"(?i)vieneu-wire-version: 1.0", b"Vieneu-Wire-Version: 1.9")
    await site.loaded()

    site.health_says(a_new_member={"of": ["any", "kind"]})

    await site.loaded()


@pytest.mark.parametrize(
    ("state", "cls"),
    [
        ("loading", BackendLoadingError),
        ("draining", BackendDrainingError),
        ("unloaded", BackendNotLoadedError),
        ("failed", ModelLoadError),
        ("expired", SessionEndingError),
        ("unreachable", BackendUnavailableError),
    ],
)
async def test_a_server_that_is_not_ready_says_what_it_does(
    site: RemoteSite, state: str, cls: type[BackendError]
) -> None:
    site.health_says(state=state)
    remote = site.client()

    with pytest.raises(cls) as caught:
        await remote.load()

    assert type(caught.value) is cls
    assert (await remote.health()).state == BackendState(state)
    site.proxy.canned.clear()
    await remote.load()


async def test_health_tells_what_the_server_knows(site: RemoteSite) -> None:
    site.health_says(
        engine="gguf",
        model="vieneu",
        accelerator="Tesla T4",
        gpu_memory_used_gb=4.2,
        gpu_memory_total_gb=15.0,
        uptime_seconds=120,
        session_remaining_seconds=3_600,
        queue_depth=2,
    )
    remote = site.client()

    before = await remote.health()
    await remote.load()
    after = await remote.health()

    assert before.state is BackendState.UNLOADED
    assert after.latency_ms is not None
    assert after.latency_ms > 0
    assert after == Health(
        state=BackendState.READY,
        engine="gguf",
        model="vieneu",
        version="0.1.0",
        queue_depth=2,
        latency_ms=after.latency_ms,
        accelerator="Tesla T4",
        gpu_memory_used_gb=4.2,
        gpu_memory_total_gb=15.0,
        uptime_s=120,
        remaining_s=3_600,
    )


@pytest.mark.parametrize(
    ("members", "state", "remaining_s"),
    [
        ({"session_remaining_seconds": -300}, BackendState.EXPIRED, 0),
        ({"session_remaining_seconds": 0}, BackendState.EXPIRED, 0),
        ({"session_remaining_seconds": 1e300}, BackendState.READY, None),
        ({"draining": True}, BackendState.DRAINING, None),
        ({"draining": True, "state": "failed"}, BackendState.FAILED, None),
        ({"uptime_seconds": -5, "queue_depth": -1}, BackendState.READY, None),
        ({"uptime_seconds": float("inf"), "queue_depth": 10**12}, BackendState.READY, None),
    ],
)
async def test_numbers_that_cannot_be_are_not_passed_on(
    site: RemoteSite, members: dict[str, object], state: BackendState, remaining_s: float | None
) -> None:
    remote = await site.loaded()
    site.health_says(**members)

    health = await remote.health()

    assert health.state is state
    assert health.remaining_s == remaining_s
    assert 0 <= health.queue_depth <= 10**6
    assert health.uptime_s is None or 0 <= health.uptime_s < 10**9


@pytest.mark.parametrize(
    ("code", "state"), [("loading", BackendState.LOADING), ("draining", BackendState.DRAINING)]
)
async def test_a_refusal_with_a_known_reason_is_a_state_too(
    site: RemoteSite, code: str, state: BackendState
) -> None:
    body = {"title": "x", "detail": "y", "status": 503, "code": code}
    site.proxy.canned["/health"] = json_reply(json.dumps(body).encode(), "503 Busy")
    remote = site.client()

    assert (await remote.health()).state is state


@pytest.mark.parametrize(
    "body", [b"{}", b"not json", b"[" * 100_000, b'{"status":"ok"}', b"x" * 5_000_000]
)
async def test_a_health_report_that_cannot_be_read_is_a_bad_response(
    site: RemoteSite, body: bytes
) -> None:
    site.proxy.canned["/health"] = json_reply(body)

    with pytest.raises(BadResponseError) as caught:
        await site.client().load()

    assert caught.value.backend == "remote"
