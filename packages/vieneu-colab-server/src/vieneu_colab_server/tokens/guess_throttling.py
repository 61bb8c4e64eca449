"""Slowing of whoever guesses tokens: each wrong answer comes later than the one before it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import Scope

from vieneu_colab_server.middleware.client_table import ClientTable
from vieneu_colab_server.middleware.proxy import is_stated
from vieneu_colab_server.middleware.rate_limit import client_of
from vieneu_core.clock import Clock
from vieneu_core.errors import AuthenticationError

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 16.0
MOST_HELD_OF_CLIENT = 16
"""Answers that one client may wait for. Where its address is its own, its further tokens are not
even checked."""
_REMEMBERED = 16
"""Wrong tokens of one client that count once: a program with an old token does not guess."""
_MINUTE_S = 60.0


@dataclass(slots=True)
class _Guesser:
    """What is known of one client."""

    level: float = 0.0
    """Wrong tokens that are not forgotten yet."""
    seen_s: float = 0.0
    n_held: int = 0
    tokens: deque[bytes] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))


class Guesses:
    """Wrong tokens of each client, and how long their answers are held.

    A right token is never held. The same wrong token counts once. Memory is bounded by a
    `ClientTable`; a client that waits for no answer is idle.

    Args:
        clock: Time.
        per_minute: Wrong tokens of one client in a minute that are answered at once.
        most_held: Answers of all clients that are held; beyond that the oldest is sent.
    """

    def __init__(self, clock: Clock, *, per_minute: int, most_held: int = 256) -> None:
        self._clock = clock
        self._per_minute, self._most_held = per_minute, most_held
        self._clients: ClientTable[_Guesser] = ClientTable(_Guesser)
        self._held: OrderedDict[asyncio.Event, None] = OrderedDict()

    @property
    def n_held(self) -> int:
        """Number of answers that are held now."""
        return len(self._held)

    async def check(
        self,
        scope: Scope,
        token: bytes,
        *,
        is_right: Callable[[bytes], bool],
        wrong: AuthenticationError,
    ) -> None:
        """Check the token of a request; count a wrong one, and return only when to answer.

        Args:
            scope: The request, for its client.
            token: The token.
            is_right: Whether it is valid.
            wrong: The error for a wrong one.

        Raises:
            AuthenticationError: ``wrong``, or the token was not even checked.
        """
        if self._are_too_many(scope):
            raise AuthenticationError(
                "Too many wrong tokens came from this address; this one was not checked.",
                remedy="Stop the program that sends them, and try again.",
                retry_after_s=LONGEST_WAIT_S,
            )
        if not is_right(token):
            await self._hold(scope, token)
            raise wrong

    def release(self) -> None:
        """Send all answers that are held, as when the server stops; later ones are not held."""
        self._most_held = 0
        for released in self._held:
            released.set()

    def _are_too_many(self, scope: Scope) -> bool:
        """Return whether a request's token is not even to be checked.

        Only where a trusted proxy stated the client's address: behind a tunnel that states none,
        all clients have one address, and the owner is among them.
        """
        guesser = self._clients.get(client_of(scope))
        return guesser is not None and guesser.n_held >= MOST_HELD_OF_CLIENT and is_stated(scope)

    async def _hold(self, scope: Scope, token: bytes) -> None:
        """Count a wrong token, and wait until it may be answered."""
        guesser = self._guesser(client_of(scope))
        wait_s = self._counted(guesser, token)
        if wait_s <= 0:
            return
        guesser.n_held += 1
        try:
            await self._wait(wait_s)
        finally:
            guesser.n_held -= 1

    def _guesser(self, client: str) -> _Guesser:
        now_s = self._clock.monotonic()
        guesser = self._clients.of(client, lambda guesser: not guesser.n_held)
        forgotten = (now_s - guesser.seen_s) * self._per_minute / _MINUTE_S
        guesser.level, guesser.seen_s = max(0.0, guesser.level - forgotten), now_s
        return guesser

    def _counted(self, guesser: _Guesser, token: bytes) -> float:
        """Count a token; return how long its answer is held."""
        digest = hashlib.sha256(token).digest()
        if digest not in guesser.tokens:
            guesser.tokens.append(digest)
            most = self._per_minute + LONGEST_WAIT_S / FIRST_WAIT_S
            guesser.level = min(guesser.level + 1, most)
        above = guesser.level - self._per_minute
        return min(FIRST_WAIT_S * 2 ** (above - 1), LONGEST_WAIT_S) if above > 0 else 0.0

    async def _wait(self, wait_s: float) -> None:
        released = asyncio.Event()
        self._held[released] = None
        if len(self._held) > self._most_held:
            oldest, _ = self._held.popitem(last=False)
            oldest.set()  # it may be this one
        sleeping = asyncio.ensure_future(self._clock.sleep(wait_s))
        waiting = asyncio.ensure_future(released.wait())
        try:
            await asyncio.wait({sleeping, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._held.pop(released, None)
            for task in (sleeping, waiting):
                task.cancel()
