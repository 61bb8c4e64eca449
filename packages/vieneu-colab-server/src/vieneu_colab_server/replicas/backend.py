"""`ReplicasBackend`: speaks by the replicas of a cluster, and goes on where one of them is lost."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from vieneu_colab_server.replicas.delivery import Delivery
from vieneu_colab_server.replicas.described_engine import DescribedEngine
from vieneu_colab_server.replicas.engine_replica import BACKEND_NAME, Description
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends import Backend, BackendState, Health, Lifetime
from vieneu_core.backoff import MAX_SENTENCE_TRIES, SENTENCE_RETRY, Backoff
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import (
    BackendBusyError,
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    BackendNotLoadedError,
    StreamInterruptedError,
    UnpronounceableError,
    WorkerDiedError,
)
from vieneu_core.synthesis import SynthesisRequest, check_request
from vieneu_core.text import sentences
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice

MOST_BUSY_TRIES = 300
"""Tries of speech that is being heard to get a place; clients try less often."""
_BUSY_RETRY_S = 0.2
_LOAD_RETRY = Backoff(first_s=1.0, longest_s=15.0)
_LOST = (
    WorkerDiedError,
    BackendLoadingError,
    BackendNotLoadedError,
    BackendDrainingError,
    StreamInterruptedError,
)
"""Failures of a replica, not of what it is asked for: another one can speak."""
_LOGGER = logging.getLogger(__name__)


class Replicas(Protocol):
    """Replicas of an engine, of which Ray chooses one for each call; see `ReplicaCalls`."""

    async def describe(self) -> Description:
        """Ask one for its engine; waits until there is one."""
        ...

    def speak(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request on one."""
        ...

    async def n_running(self) -> int:
        """Return how many run."""
        ...


class ReplicasBackend(Backend):
    """Speaks by replicas of an engine, each in a process of its own, on any node of a cluster.

    A request is spoken by one replica. Where that is lost, another one goes on with the first
    sentence that was not passed on whole; if some of it was heard, it begins again (`restarted`).

    Args:
        replicas: The replicas.
        clock: Time.
    """

    def __init__(self, replicas: Replicas, *, clock: Clock | None = None) -> None:
        self._replicas = replicas
        self._clock = clock or SystemClock()
        self._lifetime = Lifetime(
            Translatable("The backend {name}", name=BACKEND_NAME), backend=BACKEND_NAME
        )
        self._engine = DescribedEngine(replicas.describe, self._clock)
        self._depth = 0

    @property
    def name(self) -> str:
        """Name of the backend, and of that of each replica."""
        return BACKEND_NAME

    async def load(self) -> None:
        """Wait until a replica has loaded its engine, however long the cluster takes for it.

        Serve goes on to start replicas, and shows why they fail; so this never gives up.
        """
        self._lifetime.require_open()
        n_failures = 0
        while self._engine.known is None:
            try:
                await self._engine.learn()
            except BackendError as error:
                n_failures += 1
                _LOGGER.warning("%s It is tried again.", error)
                await self._clock.sleep(_LOAD_RETRY.pause_s(n_failures))

    async def unload(self) -> None:
        """Forget the replicas, which belong to the cluster.

        A running stream raises `BackendNotLoadedError`.
        """
        self._lifetime.use()
        await self._engine.forget()

    async def aclose(self) -> None:
        """Unload permanently."""
        self._lifetime.close()
        await self._engine.forget()

    async def health(self) -> Health:
        """Return what is known of the engine, and whether any replica runs."""
        described = self._engine.known
        if described is None:
            return Health(state=BackendState.UNLOADED)
        self._engine.renew()  # for the next time: what asks for the health waits only 2 s
        running = await self._replicas.n_running()
        return replace(
            described.health,
            state=BackendState.READY if running else BackendState.LOADING,
            queue_depth=self._depth,
            worker_restarts=None,
        )

    async def voices(self) -> tuple[Voice, ...]:
        """List the voices of the engine, as a replica knew them a few seconds ago.

        While all replicas are taken, they are the last ones that are known.

        Raises:
            BackendNotLoadedError: it is not loaded.
        """
        self._known()
        await self._engine.renewed()
        return self._known().voices

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request; see `Backend.stream`.

        Raises:
            RequestError: the engine cannot speak this request.
            UnpronounceableError: it cannot pronounce any of its sentences.
            BackendBusyError: all replicas are taken, and too many requests wait.
            WorkerDiedError: several replicas were lost at one sentence.
            BackendError: the engine failed, or is not loaded.
        """
        check_request(request)
        self._known()
        delivery = Delivery()
        self._depth += 1
        try:
            async with aclosing(self._parts(request)) as parts:
                async for texts in parts:
                    async with aclosing(self._spoken(request, texts, delivery)) as chunks:
                        async for chunk in chunks:
                            self._known()  # `unload` ends it
                            yield chunk
            delivery.finish()
        except BackendError as error:
            error.backend = self.name
            raise
        finally:
            self._depth -= 1

    async def _parts(self, request: SynthesisRequest) -> AsyncGenerator[tuple[str, ...], None]:
        """Yield sentences for one call: all of them, or one at a time while they are written."""
        async with aclosing(sentences(request.text, clock=self._clock)) as found:
            if isinstance(request.text, str | tuple):
                yield tuple([sentence async for sentence in found])
                return
            async for sentence in found:
                yield (sentence,)

    async def _spoken(
        self, request: SynthesisRequest, texts: tuple[str, ...], delivery: Delivery
    ) -> AsyncGenerator[AudioChunk, None]:
        """Speak sentences by as many replicas as it takes."""
        ends_at = delivery.n_done + len(texts)
        n_failures = n_busy = 0
        while delivery.n_done < ends_at:
            n_done = delivery.n_done
            left = replace(request, text=texts[n_done - ends_at :])
            try:
                async with aclosing(self._called(left, delivery, ends_at)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except BackendBusyError:
                n_busy += 1
                if not delivery.begun or n_busy >= MOST_BUSY_TRIES:
                    raise
                await self._clock.sleep(_BUSY_RETRY_S)
            except _LOST as error:
                n_failures = 1 if delivery.n_done > n_done else n_failures + 1
                if n_failures >= (2 if request.replaceable else MAX_SENTENCE_TRIES):
                    raise
                _LOGGER.warning("%s Another replica goes on.", error.detail)
                await self._clock.sleep(SENTENCE_RETRY.pause_s(n_failures))

    async def _called(
        self, request: SynthesisRequest, delivery: Delivery, ends_at: int
    ) -> AsyncGenerator[AudioChunk, None]:
        """Speak the rest of the sentences by one replica, up to ``ends_at``."""
        delivery.begin()
        try:
            async with aclosing(self._replicas.speak(request)) as chunks:
                async for chunk in chunks:
                    for passed in delivery.add(chunk):
                        yield passed
        except UnpronounceableError as error:
            for passed in delivery.leave_out(ends_at - delivery.n_done, error):
                yield passed
        if delivery.n_done < ends_at:
            raise StreamInterruptedError("A replica ended before the end of its speech.")

    def _known(self) -> Description:
        self._lifetime.require_open()
        if self._engine.known is None:
            raise self._lifetime.not_loaded()
        return self._engine.known
