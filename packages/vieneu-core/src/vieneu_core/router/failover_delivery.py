"""Delivery of one request: no sentence lost, none out of order.

The text is sent in passages (runs of whole sentences). The first one is released as it arrives,
for an early first sound; each later one only when it is complete. So when a backend fails, the next
one speaks the sentences that were not yet released; at most the one being played is repeated.
Two sentences are prefetched while one plays.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.audio.sanity_check import check_length
from vieneu_core.backoff import Backoff
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    AllBackendsFailedError,
    BackendError,
    BadResponseError,
    CloningUnsupportedError,
    RequestError,
    StreamInterruptedError,
    StreamStalledError,
    SynthesisFailedError,
    UnpronounceableError,
    VieneuError,
    VoiceNotFoundError,
)
from vieneu_core.router.events import ErrorReport, RouterEvent, SpokenByFallback
from vieneu_core.router.policy import LAST_RESORT, RouterPolicy, estimated_seconds
from vieneu_core.router.resampled_sentence import ResampledSentence
from vieneu_core.router.route import Route
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.text.passages import passages
from vieneu_core.translatable import Translatable

_RETRY = Backoff(first_s=0.1, longest_s=math.inf)
"""Pauses before retries of a sentence that no backend could speak, for `retry_for_s` in all."""


class Delivery:
    """Speaks one request on the backends of a route."""

    def __init__(
        self,
        request: SynthesisRequest,
        route: Route,
        *,
        policy: RouterPolicy,
        clock: Clock,
        publish: Callable[[RouterEvent], None],
    ) -> None:
        self._request = request
        self._route = route
        self._policy = policy
        self._clock = clock
        self._publish = publish
        self._outbox: asyncio.Queue[AudioChunk | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(1 + policy.prefetched_sentences)
        self._rooms_taken = 0
        self._done = 0  # number of completely released sentences
        self._attempts = 0
        self._failed_here: set[TrackedBackend] = set()
        self._rate_hz: int | None = None
        self._begun_live = False  # whether a part of the first sentence was released

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the audio of the whole request. Closing it stops the synthesis.

        Raises (while iterated):
            RequestError: the admin's choice refused the request as invalid.
            BackendError: no backend could speak the next sentence.
        """
        producer = asyncio.create_task(self._produce(), name="vieneu-delivery")
        try:
            while (chunk := await self._outbox.get()) is not None:
                yield chunk
                if chunk.final:
                    self._room.release()
            await producer
        finally:
            producer.cancel()
            await asyncio.gather(producer, return_exceptions=True)

    async def _produce(self) -> None:
        try:
            async with aclosing(passages(self._request.text, clock=self._clock)) as source:
                async for passage in source:
                    await self._speak(passage)
        finally:
            self._outbox.put_nowait(None)

    async def _speak(self, passage: tuple[str, ...]) -> None:
        """Speak a passage; retry each sentence for `RouterPolicy.retry_for_s`."""
        goal = self._done + len(passage)
        failing, n_failures, give_up_at = -1, 0, 0.0
        while self._done < goal:
            causes = await self._one_round(passage, goal, last_chance=failing == self._done)
            if not causes:
                continue
            now = self._clock.monotonic()
            if failing != self._done:  # the time starts again with each sentence that fails
                failing, n_failures, give_up_at = self._done, 0, now + self._policy.retry_for_s
            n_failures += 1
            wait_s = _RETRY.pause_s(n_failures)
            if now + wait_s > give_up_at or not any(cause.transient for cause in causes):
                raise self._all_failed(causes)
            await self._clock.sleep(wait_s)

    async def _one_round(
        self, passage: tuple[str, ...], goal: int, *, last_chance: bool
    ) -> list[BackendError]:
        """Ask each backend once for the remaining sentences; return why all failed, or nothing.

        If a backend cannot pronounce a sentence, the next one gets only that one: the first can
        speak the following ones. Another backend may have a voice that the admin's choice lacks.

        Raises:
            RequestError: the admin's choice refused the request, and no other has the voice.
        """
        causes: list[BackendError] = [self._route.missing] if self._route.missing else []
        refusals: list[RequestError] = []
        # A backend that failed in this request is asked last for the rest of it.
        for tracked in sorted(self._route.backends, key=self._failed_here.__contains__):
            rest = passage[len(passage) - (goal - self._done) :]
            if any(isinstance(cause, UnpronounceableError) for cause in causes):
                rest = rest[:1]
            try:
                speech_s = estimated_seconds(rest, self._request.speed)
                tracked.admit(speech_s, last_chance=last_chance)
                await self._attempt(tracked, rest, [*refusals, *causes])
            except BackendError as err:
                causes.append(err)
            except (VoiceNotFoundError, CloningUnsupportedError) as err:
                self._failed_here.add(tracked)
                refusals.append(err)
            else:
                return []
        if refusals and not causes:
            raise refusals[0]
        return causes

    async def _attempt(
        self, tracked: TrackedBackend, passage: tuple[str, ...], before: list[VieneuError]
    ) -> None:
        try:
            with tracked.attempt():
                await self._relay_or_adapt(tracked, passage, before)
        except UnpronounceableError:
            raise  # it can speak the other sentences
        except BackendError:
            self._failed_here.add(tracked)
            raise

    async def _relay_or_adapt(
        self, tracked: TrackedBackend, passage: tuple[str, ...], before: list[VieneuError]
    ) -> None:
        """Relay a passage; a fallback that lacks the requested voice speaks with its own.

        Not if all backends before it, the admin's choice included, lack that voice as well: then no
        backend has it, and the caller gets that error.
        """
        cause = before[-1] if before else None
        voice_is_sought = bool(before) and all(isinstance(err, RequestError) for err in before)
        self._attempts += 1
        request = replace(
            self._request,
            text=passage,
            voice=self._voice_at(tracked),
            request_id=f"{self._request.request_id[:100]}-{self._done}-{self._attempts}",
        )
        try:
            await self._relay(tracked, request, cause)
        except RequestError as err:
            if voice_is_sought or not self._route.is_fallback(tracked):
                raise
            with_own_voice = replace(
                request,
                voice=None,
                reference=None,
                watermark=request.watermark and tracked.name != LAST_RESORT,
                request_id=f"{request.request_id}-own",
            )
            try:
                await self._relay(tracked, with_own_voice, cause)
            except RequestError:
                raise SynthesisFailedError(
                    Translatable(
                        "{name} cannot speak as a fallback: {detail}",
                        name=tracked.name,
                        detail=err.detail,
                    )
                ) from err

    def _voice_at(self, tracked: TrackedBackend) -> str | None:
        """Return the voice to request: a fallback keeps the one that listeners know."""
        named = self._request.voice is not None or self._request.reference is not None
        if named or not self._route.is_fallback(tracked):
            return self._request.voice
        return self._policy.fallback_voice

    async def _relay(
        self, tracked: TrackedBackend, request: SynthesisRequest, cause: VieneuError | None
    ) -> None:
        base, n_sentences = self._done, len(request.text) if isinstance(request.text, tuple) else 0
        fallback = self._route.is_fallback(tracked)
        sentence = ResampledSentence()
        async with aclosing(tracked.backend.stream(request)) as stream:
            while (chunk := await self._next(stream, tracked)) is not None:
                if not isinstance(chunk, AudioChunk):  # a backend implemented by the user
                    raise BadResponseError(
                        Translatable(
                            "{name} returned something that is not audio.", name=tracked.name
                        )
                    )
                if base + chunk.sentence != self._done:
                    raise BadResponseError(
                        Translatable("{name} spoke the sentences out of order.", name=tracked.name)
                    )
                if not (chunk.pcm or chunk.final):
                    continue  # an empty chunk only shows that the backend works
                if not sentence.begun or chunk.restarted:
                    sentence = ResampledSentence(begun=True)
                    await self._make_room()
                speaker = replace(
                    chunk.speaker, backend=tracked.name, fallback=chunk.speaker.fallback or fallback
                )
                await self._take(replace(chunk, sentence=self._done, speaker=speaker), sentence)
                if chunk.final:
                    self._finish(sentence, fallback=tracked.name if fallback else None, cause=cause)
                    sentence = ResampledSentence()
        if self._done < base + n_sentences:
            raise StreamInterruptedError(
                Translatable("{name} stopped before the last sentence.", name=tracked.name)
            )

    async def _next(
        self, stream: AsyncIterator[AudioChunk], tracked: TrackedBackend
    ) -> AudioChunk | None:
        """Return the next chunk, with a time limit for a backend that hangs."""
        try:
            async with asyncio.timeout(self._policy.stall_s):
                return await anext(stream, None)
        except TimeoutError as err:
            raise StreamStalledError(
                Translatable(
                    "{name} sent no audio for {stall_s:g} s.",
                    name=tracked.name,
                    stall_s=self._policy.stall_s,
                )
            ) from err

    async def _make_room(self) -> None:
        """Wait until one more sentence may be prefetched."""
        if self._rooms_taken <= self._done:
            await self._room.acquire()
            self._rooms_taken += 1

    async def _take(self, chunk: AudioChunk, sentence: ResampledSentence) -> None:
        sentence.seconds += chunk.seconds
        check_length(sentence.seconds)
        # The sample rate of the stream's first chunk is kept, whichever backend speaks.
        self._rate_hz = self._rate_hz or chunk.sample_rate_hz
        chunk = await sentence.at_rate(chunk, self._rate_hz)
        if chunk.sentence > 0:
            sentence.chunks.append(chunk)
            return
        restarted = self._begun_live and not sentence.heard
        self._begun_live = sentence.heard = True
        self._outbox.put_nowait(replace(chunk, restarted=restarted))

    def _finish(
        self, sentence: ResampledSentence, *, fallback: str | None, cause: VieneuError | None
    ) -> None:
        for chunk in sentence.chunks:
            self._outbox.put_nowait(chunk)
        if fallback is not None:
            self._publish(
                SpokenByFallback(
                    request_id=self._request.request_id,
                    sentence=self._done,
                    backend=fallback,
                    cause=ErrorReport.of(cause) if cause else None,
                )
            )
        self._done += 1

    def _all_failed(self, causes: list[BackendError]) -> BackendError:
        if len(causes) == 1:
            return causes[0]
        detail = Translatable("No backend could speak sentence {number}.", number=self._done + 1)
        return AllBackendsFailedError(detail, causes=tuple(causes))
