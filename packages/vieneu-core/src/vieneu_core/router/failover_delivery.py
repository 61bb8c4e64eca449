"""Delivery of one request: no sentence lost, none out of order, and no long silence.

The text is sent in passages (runs of whole sentences). The first sentence is released as it
arrives, for an early first sound; each later one only when it is complete. So when a backend fails,
the next one speaks the sentences that were not yet released; at most the one being played is
repeated. Two sentences are prefetched while one plays.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backoff import SENTENCE_RETRY
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    BackendError,
    CloningUnsupportedError,
    RequestError,
    UnpronounceableError,
    VieneuError,
    VoiceNotFoundError,
)
from vieneu_core.router.alternatives import Alternatives
from vieneu_core.router.asked_last import AskedLast
from vieneu_core.router.breaker import Probe
from vieneu_core.router.events import ErrorReport, RouterEvent, SentenceSkipped, SpokenByFallback
from vieneu_core.router.memory import Memory, Replay
from vieneu_core.router.outbox import Outbox
from vieneu_core.router.passage_attempt import PassageAttempt
from vieneu_core.router.policy import RouterPolicy
from vieneu_core.router.refusal import (
    all_failed,
    begins_late,
    too_slow,
    turn_too_late,
    unsayable,
)
from vieneu_core.router.route import Route
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.text.passages import estimated_seconds


class Delivery:
    """Speaks the passages of one request on the backends of a route."""

    def __init__(  # noqa: PLR0913 - its parts, each once
        self,
        request: SynthesisRequest,
        passages: AsyncGenerator[tuple[str, ...], None],
        route: Route,
        *,
        policy: RouterPolicy,
        clock: Clock,
        publish: Callable[[RouterEvent], None],
        memory: Memory | None = None,
    ) -> None:
        self._request = request
        self._passages = passages
        self._route = route
        self._policy = policy
        self._clock = clock
        self._publish = publish
        self._outbox = Outbox(clock, prefetched_sentences=policy.prefetched_sentences)
        self._replay = Replay(memory, self._outbox)
        self.n_attempts = 0  # requests that backends were sent
        self._n_spoken = 0
        self._asked_last = AskedLast(policy.sentences_until_return)
        self._alternatives = Alternatives(route, self._asked_last)

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the audio of the whole request. Closing it stops the synthesis.

        Raises (while iterated):
            RequestError: the admin's choice refused the request as invalid.
            BackendError: no backend could speak the next sentence.
        """
        producer = asyncio.create_task(self._produce(), name="vieneu-delivery")
        try:
            async with aclosing(self._outbox.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
            await producer
        finally:
            producer.cancel()
            await asyncio.gather(producer, return_exceptions=True)

    async def _produce(self) -> None:
        unspoken: BackendError | None = None
        try:
            async with aclosing(self._passages) as source:
                async for passage in source:
                    unspoken = await self._speak(passage) or unspoken
            if unspoken is not None and not self._n_spoken:
                raise unspoken
        finally:
            self._outbox.end()

    async def _speak(self, passage: tuple[str, ...]) -> BackendError | None:
        """Speak a passage; retry each sentence for `RouterPolicy.retry_for_s`.

        Return why a sentence was skipped, if one was.
        """
        begun = self._outbox.n_complete
        skipped: BackendError | None = None
        failing, n_failures, failing_since = -1, 0, 0.0
        while rest := passage[self._outbox.n_complete - begun :]:
            n_replayed, missed = await self._replay.begin(rest)
            self._n_spoken += n_replayed
            if not missed:
                break
            is_repeated = failing == self._outbox.n_complete
            causes = await self._one_round(missed, n_failures=n_failures if is_repeated else 0)
            if not causes:
                continue
            now, tried_again = self._clock.monotonic(), failing == self._outbox.n_complete
            if not tried_again:  # the time starts again with each sentence
                failing, n_failures, failing_since = self._outbox.n_complete, 0, now
            failing_s = now - failing_since
            awaited = failing_s >= self._policy.latest_start_s
            if unsayable(causes, tried_again=tried_again, awaited=awaited):
                skipped = all_failed(causes, self._outbox.n_complete + 1)
                await self._skip(skipped)
                continue
            left_s = self._policy.retry_for_s - failing_s
            if left_s <= 0 or not any(cause.transient for cause in causes):
                raise all_failed(causes, self._outbox.n_complete + 1)
            n_failures += 1
            await self._clock.sleep(min(SENTENCE_RETRY.pause_s(n_failures), left_s))
        return skipped

    async def _one_round(self, rest: tuple[str, ...], *, n_failures: int) -> list[BackendError]:
        """Ask each backend once for the remaining sentences; return why all failed, or nothing.

        If a backend cannot pronounce a sentence, the next one gets only that one: the first can
        speak the following ones. Another backend may have a voice that the admin's choice lacks.

        Raises:
            RequestError: the admin's choice refused the request, and no other has the voice.
        """
        causes: list[BackendError] = [self._route.missing] if self._route.missing else []
        refusals: list[RequestError] = []
        begun = self._outbox.n_complete
        self._alternatives.begin_round(n_failures)
        for tracked in sorted(self._route.backends, key=self._is_asked_last):
            remaining = rest[self._outbox.n_complete - begun :]
            if any(isinstance(cause, UnpronounceableError) for cause in causes):
                remaining = remaining[:1]
            try:
                probe = self._admit(tracked, remaining, last_chance=n_failures > 0)
                await self._attempt(tracked, probe, remaining, [*refusals, *causes])
            except BackendError as err:
                if self._outbox.n_complete == begun + len(rest):
                    return []  # it failed after the last sentence
                causes.append(err)
                self._alternatives.failed(tracked, err)
            except (VoiceNotFoundError, CloningUnsupportedError) as err:
                self._asked_last.add(tracked, err, self._outbox.n_complete)
                self._alternatives.failed(tracked, err)
                refusals.append(err)
            else:
                return []
        if refusals and not causes:
            raise refusals[0]
        return causes

    def _returns(self, speaking: TrackedBackend) -> bool:
        """Return whether a backend that failed in this request shall speak on in its place."""
        order = self._route.backends
        earlier = order[: order.index(speaking)]
        failed = self._asked_last.backends
        latest_s = self._policy.latest_turn_s
        return any(
            one in failed and self._turn_in_s(one) <= latest_s and not self._is_asked_last(one)
            for one in earlier
        )

    def _is_asked_last(self, tracked: TrackedBackend) -> bool:
        return self._asked_last.has(tracked, self._outbox.n_complete)

    def _admit(
        self, tracked: TrackedBackend, passage: tuple[str, ...], *, last_chance: bool
    ) -> Probe | None:
        """Check that a backend may speak a passage, and that its listener need not wait for it.

        Raises:
            BackendError: it may not, or another one speaks sooner.
        """
        replaceable = self._alternatives.replaceable(tracked)
        speech_s = estimated_seconds(passage, self._request.speed)
        probe = tracked.admit(speech_s, last_chance=last_chance, replaceable=replaceable)
        late = self._too_late(tracked, passage) if replaceable else None
        if late is not None:
            tracked.abandon(probe, late_chars=len(passage[0]))
            self._asked_last.add(tracked, late, self._outbox.n_complete)
            raise late
        return probe

    def _too_late(self, tracked: TrackedBackend, passage: tuple[str, ...]) -> BackendError | None:
        """Return why speech from here would begin too late for its listener, or None."""
        wait_s = self._turn_in_s(tracked)
        if wait_s > self._policy.latest_turn_s:
            return turn_too_late(tracked.name, wait_s)
        speed = tracked.speed
        sounds_in_s = speed.sounds_in_s(estimated_seconds(passage[:1], self._request.speed))
        if wait_s + sounds_in_s <= self._policy.latest_start_s:
            return None
        if speed.slower_than_playback:
            return too_slow(tracked.name, speed.real_time_factor)
        return begins_late(tracked.name, sounds_in_s)

    def _turn_in_s(self, tracked: TrackedBackend) -> float:
        """Return the estimated seconds that the listener would wait for a turn of a backend."""
        begun = self._outbox.n_complete > 0 or self._outbox.ahead_s > 0
        return tracked.backlog.wait_s(begun=begun) - self._outbox.ahead_s

    async def _attempt(
        self,
        tracked: TrackedBackend,
        probe: Probe | None,
        passage: tuple[str, ...],
        before: list[VieneuError],
    ) -> None:
        """Speak a passage on one backend.

        A fallback that lacks the requested voice speaks with its own. Not if all backends before
        it, the admin's choice included, lack that voice as well: then no backend has it, and the
        caller gets that error.
        """
        fallback = self._route.is_fallback(tracked)
        cause = before[-1] if before else None
        lengths_s = [estimated_seconds((one,), self._request.speed) for one in passage]
        wait_s = tracked.backlog.longest_wait_s()
        self.n_attempts += 1
        number = f"{self._outbox.n_complete}-{self.n_attempts}"
        request = replace(self._request, request_id=f"{self._request.request_id[:100]}-{number}")
        try:
            longest_chars = max(map(len, passage))
            with tracked.attempt(probe, *lengths_s, longest_chars=longest_chars) as running:

                def spoke(chunks: list[AudioChunk]) -> None:
                    running.spoke()
                    self._spoke(tracked, cause)
                    self._replay.spoken(self._outbox.n_complete - 1, chunks)

                attempt = PassageAttempt(
                    tracked,
                    running,
                    outbox=self._outbox,
                    policy=self._policy,
                    clock=self._clock,
                    is_fallback=fallback,
                    alternatives=self._alternatives,
                    turn_in_s=wait_s,
                    first_sentence_s=lengths_s[0],
                    replaced=partial(self._returns, tracked),
                    on_sentence=spoke,
                )
                refused = bool(before) and all(isinstance(err, RequestError) for err in before)
                await attempt.speak(request, passage, default_voice_allowed=not refused)
        except UnpronounceableError:
            raise  # it can speak the other sentences
        except BackendError as err:
            self._asked_last.add(tracked, err, self._outbox.n_complete)
            raise

    def _spoke(self, tracked: TrackedBackend, cause: VieneuError | None) -> None:
        self._n_spoken += 1
        if self._route.is_fallback(tracked):
            self._publish(
                SpokenByFallback(
                    request_id=self._request.request_id,
                    sentence=self._outbox.n_complete - 1,
                    backend=tracked.name,
                    cause=ErrorReport.of(cause) if cause else None,
                )
            )

    async def _skip(self, cause: BackendError) -> None:
        """Leave out a sentence that no backend can pronounce, so that the rest is spoken."""
        self._publish(
            SentenceSkipped(
                request_id=self._request.request_id,
                sentence=self._outbox.n_complete,
                cause=ErrorReport.of(cause),
            )
        )
        await self._outbox.skip(self._route.backends[-1].name)
