"""Rate limits of several servers, counted in a real Redis that also fails."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from pydantic import SecretStr
from redis_process import PASSWORD, RedisProcess, needs_redis, running_redis, slow_to_connect
from server_site import Site, serving
from waiting import until

from vieneu_colab_server.app import create_app
from vieneu_colab_server.cli import make_settings
from vieneu_colab_server.middleware.shared_counts import (
    ANSWER_TIMEOUT_S,
    ASK_AGAIN_S,
    STORAGE_VARIABLE,
    RateStorageError,
    SharedCounts,
    check_storage,
)
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.errors import MissingExtraError, RateLimitedError
from vieneu_core.testing.scripted import ScriptedBackend

UNREACHABLE = f"redis://:{PASSWORD}@127.0.0.1:1/0"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    with running_redis(tmp_path) as process:
        yield process


@pytest.fixture
async def counts(redis: RedisProcess) -> AsyncIterator[tuple[SharedCounts, FakeClock]]:
    clock = FakeClock()
    shared = SharedCounts(SecretStr(redis.uri), clock)
    yield shared, clock
    await shared.aclose()


async def status_of(site: Site, path: str = "/tts/synthesize") -> int:
    async with site.post(path, json={"text": "Một."}) as response:
        await response.read()
        if response.status == 429:
            assert 1 <= int(response.headers["Retry-After"]) <= 60
        return response.status


@needs_redis
async def test_two_servers_count_their_requests_together(redis: RedisProcess) -> None:
    settings: dict[str, Any] = {
        "requests_per_minute": 3,
        "health_checks_per_minute": 2,
        "rate_limit_storage": SecretStr(redis.uri),
    }
    async with (
        serving(ScriptedBackend(), **settings) as one,
        serving(ScriptedBackend(), **settings) as other,
    ):
        speech = [await status_of(site) for site in (one, other, one, other, one)]
        health = []
        for site in (one, other, one):
            async with site.get("/health") as response:
                health.append(response.status)

    assert speech == [200, 200, 200, 429, 429]
    assert health == [200, 200, 429]


@needs_redis
async def test_while_redis_is_away_each_server_speaks_and_counts_by_itself(
    redis: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    settings: dict[str, Any] = {
        "requests_per_minute": 2,
        "rate_limit_storage": SecretStr(redis.uri),
    }
    with caplog.at_level(logging.INFO):
        async with (
            serving(ScriptedBackend(), **settings) as one,
            serving(ScriptedBackend(), **settings) as other,
        ):
            assert [await status_of(site) for site in (one, other, one)] == [200, 200, 429]
            redis.stop()
            assert [await status_of(one) for _ in range(3)] == [200, 200, 429]
            assert await status_of(other) == 200

    warned = [line for line in caplog.messages if "does not answer" in line]
    assert len(warned) == 2, "once for each server"
    assert PASSWORD not in caplog.text


@needs_redis
async def test_redis_is_asked_again_after_a_pause(
    redis: RedisProcess, counts: tuple[SharedCounts, FakeClock]
) -> None:
    shared, clock = counts
    assert await shared.counts("requests", "a", 1)
    redis.stop()
    assert not await shared.counts("requests", "a", 1)
    redis.start()
    assert not await shared.counts("requests", "a", 1), "not before the pause is over"
    await clock.advance(ASK_AGAIN_S)
    await until(lambda: shared.counts("requests", "a", 1))
    with pytest.raises(RateLimitedError) as caught:
        await shared.counts("requests", "a", 1)
    assert caught.value.retry_after_s is not None
    assert 1 <= caught.value.retry_after_s <= 60
    assert await shared.counts("requests", "b", 1), "each client has a count of its own"


@needs_redis
async def test_no_address_of_a_client_is_kept(
    redis: RedisProcess, counts: tuple[SharedCounts, FakeClock]
) -> None:
    from redis.asyncio import Redis

    shared, _ = counts
    assert await shared.counts("other requests", "192.0.2.7", 5)
    async with Redis.from_url(redis.uri.replace("redis+unix", "unix")) as client:
        keys = [key.decode() for key in await client.keys("*")]
        lives = [await client.ttl(key) for key in keys]

    assert len(keys) == 1
    assert keys[0].startswith("vieneu:")
    assert "192.0.2" not in keys[0]
    assert 0 < lives[0] <= 60


@needs_redis
@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        (UNREACHABLE, "cannot be reached"),
        ("redis+unix://:wrong-{password}@{socket}?db=0", "refuses the user or the password"),
        ("nonsense://:{password}@host/0", "no URI"),
        ("redis://:{password}/x@host:port/0", "no URI"),
        ("redis://:{password}@127.0.0.1:1/0?foo=1", "no URI"),
        ("redis://:{password}@127.0.0.1:1/0?protocol=9", "no URI"),
        ("rediss://:{password}@127.0.0.1:1/0?ssl_cert_reqs=bad", "no URI"),
    ],
)
def test_a_server_does_not_start_without_its_redis(
    redis: RedisProcess, uri: str, reason: str
) -> None:
    given = uri.format(password=PASSWORD, socket=redis.socket)
    settings = ServerSettings(
        token=SecretStr("token-for-tests-0123456789"), rate_limit_storage=SecretStr(given)
    )
    with pytest.raises(RateStorageError, match=reason) as caught:
        create_app(settings, ScriptedBackend())

    assert STORAGE_VARIABLE in caught.value.remedy
    shown = f"{caught.value!r} {caught.value} {settings!r} {caught.value.__cause__!r}"
    assert PASSWORD not in shown


@needs_redis
@pytest.mark.filterwarnings("ignore:Exception ignored:pytest.PytestUnraisableExceptionWarning")
def test_a_tls_version_that_there_is_not_is_told_as_such() -> None:
    """It is read only when the connection stands, which redis then forgets to close."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        uri = f"rediss://:{PASSWORD}@127.0.0.1:{port}/0?ssl_min_version=abc"
        with pytest.raises(RateStorageError, match="no URI"):
            check_storage(SecretStr(uri))


@needs_redis
def test_a_user_who_may_not_count_is_told_as_such(redis: RedisProcess) -> None:
    from redis import Redis

    with Redis.from_url(redis.uri.replace("redis+unix", "unix")) as admin:
        admin.acl_setuser("mute", enabled=True, passwords=[f"+{PASSWORD}"], categories=["-@all"])
    uri = redis.uri.replace("redis+unix://:", "redis+unix://mute:")
    with pytest.raises(RateStorageError, match="refuses to count"):
        check_storage(SecretStr(uri))


@needs_redis
async def test_a_redis_that_needs_long_to_connect_is_used(redis: RedisProcess) -> None:
    """Connecting takes longer than a request may wait for its answer."""
    with slow_to_connect(redis, ANSWER_TIMEOUT_S * 1.5) as port:
        settings: dict[str, Any] = {
            "requests_per_minute": 2,
            "rate_limit_storage": SecretStr(f"redis://:{PASSWORD}@127.0.0.1:{port}/0"),
        }
        async with (
            serving(ScriptedBackend(), **settings) as one,
            serving(ScriptedBackend(), **settings) as other,
        ):
            statuses = [await status_of(site) for site in (one, other, one, other)]

    assert statuses == [200, 200, 429, 429]


@needs_redis
async def test_requests_at_once_need_no_new_connections(redis: RedisProcess) -> None:
    with slow_to_connect(redis, ANSWER_TIMEOUT_S * 1.5) as port:
        uri = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
        shared = SharedCounts(SecretStr(uri), FakeClock())
        await shared.connect()
        counted = await asyncio.gather(*(shared.counts("requests", "a", 99) for _ in range(20)))
        await shared.aclose()

    assert all(counted)


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("redis", "redis.asyncio"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match="redis of vieneu-colab-server"):
        check_storage(SecretStr(UNREACHABLE))
    with pytest.raises(MissingExtraError, match="redis of vieneu-colab-server"):
        SharedCounts(SecretStr(UNREACHABLE), FakeClock())


def test_the_uri_does_not_stay_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORAGE_VARIABLE, UNREACHABLE)
    monkeypatch.setenv("VIENEU_SERVER_TOKEN", "token-for-tests-0123456789")
    settings, _ = make_settings({}, None)

    assert settings.rate_limit_storage is not None
    assert settings.rate_limit_storage.get_secret_value() == UNREACHABLE
    assert STORAGE_VARIABLE not in os.environ
