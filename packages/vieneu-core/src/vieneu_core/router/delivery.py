"""One request on its way to the listener: no sentence lost, none out of order.

The text goes out in passages (runs of whole sentences). The first sentence is handed on as it
comes, for the sake of an early first sound; each later one only when it is whole. So when a
backend fails, the sentences that were not yet handed on are spoken by the next one, and at most
the one being heard is heard again. Two sentences are made ready while one plays.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.audio.resample import Resampler
from vieneu_core.audio.sanity_check import check_length
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    AllBackendsFailedError,
    BackendError,
    BadResponseError,
    CircuitOpenError,
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
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.text.passages import passages

_FIRST_WAIT_S = 0.1
"""Before a sentence that nobody could speak is tried again; doubles each time."""


@dataclass(frozen=True, slots=True)
class Route:
    """Who may speak one request, fixed when it starts: a switch does not touch it."""

    places: tuple[TrackedBackend, ...]
    """The admin's choice first, then the stand-ins."""
    missing: BackendError | None = None
    """Why the admin's choice is not among ``places``."""

    def is_fallback(self, tracked: TrackedBackend) -> bool:
        """Tell whether this place is not the one that the admin chose."""
        return self.missing is not None or tracked is not self.places[0]


class Delivery:
    """Speaks one request along a route."""

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
        self._done = 0  # sentences handed on whole
        self._attempts = 0
        self._failed_here: set[TrackedBackend] = set()
        self._rate_hz: int | None = None
        self._begun_live = False

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the audio of the whole request. Closing it stops the synthesis.

        Raises (while iterated):
            RequestError: the admin's choice refused the request as wrong.
            BackendError: nobody could speak the next sentence.
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
            async with aclosing(passages(self._request.text)) as source:
                async for passage in source:
                    await self._speak(passage)
        finally:
            self._outbox.put_nowait(None)

    async def _speak(self, passage: tuple[str, ...]) -> None:
        """Speak a passage, trying again for as long as patience lasts."""
        goal = self._done + len(passage)
        failing, give_up_at, wait_s = -1, 0.0, _FIRST_WAIT_S
        while self._done < goal:
            causes = await self._one_round(passage, goal, last_chance=failing == self._done)
            if not causes:
                continue
            now = self._clock.monotonic()
            if failing != self._done:  # patience begins anew with each sentence that fails
                failing, give_up_at, wait_s = (
                    self._done,
                    now + self._policy.patience_s,
                    _FIRST_WAIT_S,
                )
            hopeful = [cause for cause in causes if cause.transient]
            if not hopeful or now + wait_s > give_up_at:
                raise self._all_failed(causes)
            await self._clock.sleep(wait_s)
            wait_s *= 2

    async def _one_round(
        self, passage: tuple[str, ...], goal: int, *, last_chance: bool
    ) -> list[BackendError]:
        """Ask each place once for what is still unspoken; return why all failed, or nothing.

        A sentence that one place cannot pronounce is all that the next one gets: the first can
        speak what follows. A voice that the admin's choice does not have may be another place's.

        Raises:
            RequestError: the admin's choice refused the request, and no other place has the voice.
        """
        causes: list[BackendError] = [self._route.missing] if self._route.missing else []
        refusals: list[RequestError] = []
        for tracked in self._in_order():
            rest = passage[len(passage) - (goal - self._done) :]
            if any(isinstance(cause, UnpronounceableError) for cause in causes):
                rest = rest[:1]
            try:
                self._admit(tracked, rest, last_chance=last_chance)
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

    def _in_order(self) -> list[TrackedBackend]:
        # Whoever failed in this request is asked last for the rest of it: one wait is enough.
        return sorted(self._route.places, key=lambda tracked: tracked in self._failed_here)

    def _admit(
        self, tracked: TrackedBackend, passage: tuple[str, ...], *, last_chance: bool
    ) -> None:
        tracked.wanted()
        refusal = tracked.refusal(estimated_seconds(passage, self._request.speed))
        if refusal is None:
            tracked.breaker.admit()
        elif not (last_chance and isinstance(refusal, CircuitOpenError)):
            raise refusal

    async def _attempt(
        self, tracked: TrackedBackend, passage: tuple[str, ...], before: list[VieneuError]
    ) -> None:
        try:
            await self._relay_or_adapt(tracked, passage, before)
        except BackendError as err:
            if not isinstance(err, UnpronounceableError):
                self._failed_here.add(tracked)
            tracked.failed(err)
            raise
        except BaseException:
            tracked.abandoned()
            raise
        tracked.succeeded()

    async def _relay_or_adapt(
        self, tracked: TrackedBackend, passage: tuple[str, ...], before: list[VieneuError]
    ) -> None:
        """Relay a passage; a stand-in that lacks the voice asked for speaks with its own.

        Not where all before it, the admin's choice too, were well but lack it as well: then nobody
        has that voice, and the caller is told.
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
            keep_watermark = request.watermark and tracked.name != LAST_RESORT
            has_custom_voice = replace(
                request,
                voice=None,
                reference=None,
                watermark=keep_watermark,
                request_id=f"{request.request_id}-own",
            )
            try:
                await self._relay(tracked, has_custom_voice, cause)
            except RequestError:
                raise SynthesisFailedError(f"{tracked.name} cannot stand in: {err.detail}") from err

    def _voice_at(self, tracked: TrackedBackend) -> str | None:
        """Return the voice to ask for: a stand-in keeps the one that listeners know."""
        named = self._request.voice is not None or self._request.reference is not None
        if named or not self._route.is_fallback(tracked):
            return self._request.voice
        return self._policy.fallback_voice

    async def _relay(
        self, tracked: TrackedBackend, request: SynthesisRequest, cause: VieneuError | None
    ) -> None:
        base, n_sentences = self._done, len(request.text) if isinstance(request.text, tuple) else 0
        fallback = self._route.is_fallback(tracked)
        sentence = _Sentence()
        async with aclosing(tracked.backend.stream(request)) as stream:
            while (chunk := await self._next(stream, tracked)) is not None:
                if not isinstance(chunk, AudioChunk):  # of a backend that is not ours
                    raise BadResponseError(f"{tracked.name} gave something that is not audio.")
                if base + chunk.sentence != self._done:
                    raise BadResponseError(f"{tracked.name} spoke the sentences out of order.")
                if not sentence.begun or chunk.restarted:
                    sentence = _Sentence(begun=True)
                    await self._make_room()
                speaker = replace(
                    chunk.speaker, backend=tracked.name, fallback=chunk.speaker.fallback or fallback
                )
                await self._take(replace(chunk, sentence=self._done, speaker=speaker), sentence)
                if chunk.final:
                    self._finish(sentence, fallback=tracked.name if fallback else None, cause=cause)
                    sentence = _Sentence()
        if self._done < base + n_sentences:
            raise StreamInterruptedError(f"{tracked.name} stopped before the last sentence.")

    async def _next(
        self, stream: AsyncIterator[AudioChunk], tracked: TrackedBackend
    ) -> AudioChunk | None:
        """Return the next chunk; a backend that hangs must not take the announcement with it."""
        try:
            async with asyncio.timeout(self._policy.stall_s):
                return await anext(stream, None)
        except TimeoutError as err:
            raise StreamStalledError(
                f"No audio came from {tracked.name} for {self._policy.stall_s:g} s."
            ) from err

    async def _make_room(self) -> None:
        """Wait until the listener is near enough for one more sentence."""
        if self._rooms_taken <= self._done:
            await self._room.acquire()
            self._rooms_taken += 1

    async def _take(self, chunk: AudioChunk, sentence: _Sentence) -> None:
        sentence.seconds += chunk.seconds
        check_length(sentence.seconds)
        chunk = await self._at_stream_rate(chunk, sentence)
        if chunk.sentence > 0:
            sentence.buffer.append(chunk)
            return
        restarted = self._begun_live and not sentence.heard
        self._begun_live = sentence.heard = True
        self._outbox.put_nowait(replace(chunk, restarted=restarted))

    async def _at_stream_rate(self, chunk: AudioChunk, sentence: _Sentence) -> AudioChunk:
        """Keep to the rate of the stream's first chunk, whoever speaks now."""
        rate_hz = self._rate_hz = self._rate_hz or chunk.sample_rate_hz
        if chunk.sample_rate_hz == rate_hz:
            return chunk
        if sentence.resampler is None:
            # On a thread, because the first one loads the codecs.
            sentence.resampler = await asyncio.to_thread(Resampler, chunk.sample_rate_hz, rate_hz)
        pcm = await asyncio.to_thread(_resample, sentence.resampler, chunk)
        return replace(chunk, pcm=pcm, sample_rate_hz=rate_hz)

    def _finish(
        self, sentence: _Sentence, *, fallback: str | None, cause: VieneuError | None
    ) -> None:
        for chunk in sentence.buffer:
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
        where = f"sentence {self._done + 1}"
        return AllBackendsFailedError(f"No backend could speak {where}.", causes=tuple(causes))


class _Sentence:
    """The sentence that is being received."""

    def __init__(self, *, begun: bool = False) -> None:
        self.begun = begun
        self.heard = False
        self.seconds = 0.0
        self.buffer: list[AudioChunk] = []
        self.resampler: Resampler | None = None


def _resample(resampler: Resampler, chunk: AudioChunk) -> bytes:
    pcm = resampler.push(chunk.pcm)
    return pcm + resampler.finish() if chunk.final else pcm
