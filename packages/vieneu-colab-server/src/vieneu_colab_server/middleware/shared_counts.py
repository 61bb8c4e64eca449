"""Rate limits that several servers share: their requests are counted in one Redis.

Speech matters more than a limit: while Redis does not answer, each server counts by itself, as
without Redis, and asks it again after a few seconds. No request waits longer for it than a moment,
and none for a connection: that takes several answers of Redis, a request only one.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import SecretStr

from vieneu_core.clock import Clock
from vieneu_core.errors import ConfigurationError, MissingExtraError, RateLimitedError
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    from limits import RateLimitItem

_LOGGER = logging.getLogger(__name__)
STORAGE_VARIABLE = "VIENEU_SERVER_RATE_LIMIT_STORAGE"
KEY_PREFIX = "vieneu"
ANSWER_TIMEOUT_S = 0.25
"""Longest time that a request waits for Redis."""
ASK_AGAIN_S = 5.0
"""Pause after a failure, in which Redis is not asked."""
_CONNECT_TIMEOUT_S = 3.0
_N_CONNECTIONS = 8
"""Requests that ask Redis at once; further ones wait for these, within their own time."""


class RateStorageError(ConfigurationError):
    """The Redis of the rate limits cannot be used at the start. Never contains its URI."""

    code = "rate_storage"
    title = "Rate limits cannot be shared"
    default_remedy = (
        f"Start Redis, or correct {STORAGE_VARIABLE}; without it each server counts by itself."
    )


class SharedCounts:
    """Counts the events of the last minute together with all servers of one Redis.

    Keys begin with `KEY_PREFIX`; an address of a client is stored as a digest only, for a minute.
    The calendar clocks of the servers have to agree to a second or so.

    Args:
        uri: URI of the Redis, as ``redis://:password@host:6379/0``. A secret.
        clock: Time between two tries.

    Raises:
        MissingExtraError: limits or redis is not installed.
        RateStorageError: the URI cannot be used.
    """

    def __init__(self, uri: SecretStr, clock: Clock) -> None:
        try:
            from limits.aio.storage import RedisStorage
            from limits.aio.strategies import MovingWindowRateLimiter
            from redis import RedisError
            from redis.asyncio import BlockingConnectionPool
        except ImportError as error:
            raise _missing() from error
        self._clock = clock
        try:
            self._connections = BlockingConnectionPool.from_url(
                _plain(uri), max_connections=_N_CONNECTIONS, timeout=None
            )
            # It opens nothing, but reads the query of the URI.
            self._connections.make_connection()  # type: ignore[no-untyped-call]  # of redis
        except (RedisError, TypeError, ValueError):
            raise RateStorageError(_no_uri()) from None
        self._limiter = MovingWindowRateLimiter(
            RedisStorage(
                "redis://",
                implementation="redispy",
                key_prefix=KEY_PREFIX,
                connection_pool=self._connections,  # type: ignore[arg-type]  # documented, not typed
            )
        )
        self._answers = True
        self._connecting: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Connect before there are requests; where that fails, go on to try meanwhile."""
        try:
            await self._connect()
        except Exception as error:  # noqa: BLE001 - as in `counts`
            self._lost(error)

    async def counts(self, key: str, client: str, limit: int) -> bool:
        """Count one event; return False where Redis does not answer, and it was not counted.

        Args:
            key: What is counted.
            client: Who caused it.
            limit: Events in a minute.

        Raises:
            RateLimitedError: there were too many.
        """
        if not self._answers:
            return False
        from limits import RateLimitItemPerMinute

        item = RateLimitItemPerMinute(limit, namespace="")
        found = (key, hashlib.sha256(client.encode()).hexdigest()[:16])
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                wait_s = await self._hit(item, found)
        except Exception as error:  # noqa: BLE001 - of redis, limits, or the socket: all mean one thing
            self._lost(error)
            return False
        if wait_s is None:
            return True
        raise RateLimitedError(
            Translatable("More than {amount} {key} within a minute.", amount=limit, key=key),
            retry_after_s=round(max(1.0, wait_s), 1),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        await self._connections.aclose()

    async def _connect(self) -> None:
        """Open all connections by what a request asks for, and see that one is answered in time."""
        from limits import RateLimitItemPerSecond

        item = RateLimitItemPerSecond(_N_CONNECTIONS + 1, namespace="")
        found = ("connections", "")
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            await asyncio.gather(*(self._hit(item, found) for _ in range(_N_CONNECTIONS)))
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await self._hit(item, found)

    async def _hit(self, item: RateLimitItem, found: tuple[str, str]) -> float | None:
        """Return how long to wait; None if the event was counted."""
        if await self._limiter.hit(item, *found):
            return None
        stats = await self._limiter.get_window_stats(item, *found)
        return float(stats.reset_time) - time.time()

    def _lost(self, error: Exception) -> None:
        if not self._answers:  # another request has found it before
            return
        self._answers = False
        # The error's text could contain the URI: it is not logged.
        _LOGGER.warning(
            "The Redis of the rate limits does not answer (%s): this server counts by itself.",
            type(error).__name__,
        )
        self._connecting = asyncio.create_task(self._connect_again())

    async def _connect_again(self) -> None:
        while not self._answers:
            await self._clock.sleep(ASK_AGAIN_S)
            with suppress(Exception):
                await self._connect()
                self._answers = True
        _LOGGER.info("The Redis of the rate limits answers again.")


def check_storage(uri: SecretStr) -> None:
    """Check that a Redis answers. Blocking.

    Raises:
        MissingExtraError: redis is not installed.
        RateStorageError: it cannot be reached, or refuses.
    """
    try:
        import redis
    except ImportError as error:
        raise _missing() from error
    try:
        with redis.Redis.from_url(
            _plain(uri),
            socket_connect_timeout=_CONNECT_TIMEOUT_S,
            socket_timeout=_CONNECT_TIMEOUT_S,
        ) as asked:
            asked.ping()
    except (redis.RedisError, OSError, TypeError, ValueError) as error:
        raise RateStorageError(_reason(error)) from None


def _plain(uri: SecretStr) -> str:
    """Return a URI as the package redis knows it; ``redis+unix`` is a scheme of limits."""
    return uri.get_secret_value().replace("redis+unix://", "unix://", 1)


def _reason(error: Exception) -> str:
    import redis

    if isinstance(error, redis.AuthenticationError):
        return "The Redis of the rate limits refuses the user or the password."
    if isinstance(error, redis.ConnectionError | redis.TimeoutError | OSError):
        return "The Redis of the rate limits cannot be reached."
    if isinstance(error, redis.RedisError):
        return "The Redis of the rate limits refuses to count for this user."
    return _no_uri()


def _no_uri() -> str:
    return Translatable("{variable} is no URI of a Redis.", variable=STORAGE_VARIABLE)


def _missing() -> MissingExtraError:
    return MissingExtraError("A shared rate limit", "redis", package="vieneu-colab-server")
