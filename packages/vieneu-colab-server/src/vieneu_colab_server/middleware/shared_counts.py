"""Rate limits that several servers share: their requests are counted in one Redis.

Speech matters more than a limit: while Redis does not answer, each server counts by itself, as
without Redis, and asks it again after a few seconds. No request waits longer for it than a moment.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
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
    """

    def __init__(self, uri: SecretStr, clock: Clock) -> None:
        try:
            from limits.aio.storage import RedisStorage
            from limits.aio.strategies import MovingWindowRateLimiter
            from redis.asyncio import ConnectionPool
        except ImportError as error:
            raise _missing() from error
        self._clock = clock
        self._connections = ConnectionPool.from_url(_plain(uri))
        self._limiter = MovingWindowRateLimiter(
            RedisStorage(
                "redis://",
                implementation="redispy",
                key_prefix=KEY_PREFIX,
                connection_pool=self._connections,  # type: ignore[arg-type]  # documented, not typed
            )
        )
        self._ask_at_s = clock.monotonic()
        self._answers = True

    async def counts(self, key: str, client: str, limit: int) -> bool:
        """Count one event; return False where Redis does not answer, and it was not counted.

        Args:
            key: What is counted.
            client: Who caused it.
            limit: Events in a minute.

        Raises:
            RateLimitedError: there were too many.
        """
        if self._clock.monotonic() < self._ask_at_s:
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
        self._found()
        if wait_s is None:
            return True
        raise RateLimitedError(
            Translatable("More than {amount} {key} within a minute.", amount=limit, key=key),
            retry_after_s=round(max(1.0, wait_s), 1),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()

    async def _hit(self, item: RateLimitItem, found: tuple[str, str]) -> float | None:
        """Return how long to wait; None if the event was counted."""
        if await self._limiter.hit(item, *found):
            return None
        stats = await self._limiter.get_window_stats(item, *found)
        return float(stats.reset_time) - time.time()

    def _lost(self, error: Exception) -> None:
        self._ask_at_s = self._clock.monotonic() + ASK_AGAIN_S
        if self._answers:  # the error's text could contain the URI: it is not logged
            _LOGGER.warning(
                "The Redis of the rate limits does not answer (%s): this server counts by itself.",
                type(error).__name__,
            )
        self._answers = False

    def _found(self) -> None:
        if not self._answers:
            _LOGGER.info("The Redis of the rate limits answers again.")
        self._answers = True


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
    except (redis.RedisError, OSError, ValueError) as error:
        raise RateStorageError(_reason(error)) from None


def _plain(uri: SecretStr) -> str:
    """Return a URI as the package redis knows it; ``redis+unix`` is a scheme of limits."""
    return uri.get_secret_value().replace("redis+unix://", "unix://", 1)


def _reason(error: Exception) -> str:
    import redis

    if isinstance(error, redis.AuthenticationError):
        return "The Redis of the rate limits refuses the user or the password."
    if isinstance(error, ValueError):
        return Translatable("{variable} is no URI of a Redis.", variable=STORAGE_VARIABLE)
    return "The Redis of the rate limits cannot be reached."


def _missing() -> MissingExtraError:
    return MissingExtraError("A shared rate limit", "redis", package="vieneu-colab-server")
