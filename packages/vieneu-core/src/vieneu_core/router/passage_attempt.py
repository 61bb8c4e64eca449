"""One attempt: a passage of a request is spoken by one backend, within limits of time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    BackendError,
    BadResponseError,
    RequestError,
    StreamInterruptedError,
    SynthesisFailedError,
    TooSlowError,
    UnpronounceableError,
)
from vieneu_core.router.alternatives import Alternatives
from vieneu_core.router.backlog import RunningSpeech
from vieneu_core.router.chunk_timeout import ChunkTimeout
from vieneu_core.router.measured_speed import MadeSentence
from vieneu_core.router.outbox import Outbox
from vieneu_core.router.policy import LAST_RESORT, RouterPolicy
from vieneu_core.router.received_sentence import ReceivedSentence
from vieneu_core.router.refusal import stalled, too_slow, turn_too_late
from vieneu_core.router.tracked_backend import TrackedBackend
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.text.passages import estimated_seconds
from vieneu_core.translatable import Translatable

_NEARLY_DRY_S = 0.3
"""Seconds of audio ahead below which a sentence is released as it comes."""
_ASKED = 0.8
"""Part of the limit that is sent to a server, so that its answer comes before the limit ends."""


class PassageAttempt:
    """Speaks sentences of a request on one backend, into an outbox.

    Args:
        tracked: The backend.
        running: The attempt in its backlog.
        outbox: Where the audio goes; sentences that are complete there stay spoken.
        policy: Time limits, and the voice of a fallback.
        clock: Measures the waiting.
        is_fallback: Whether the backend differs from the admin's choice.
        alternatives: Other backends that could speak in its place.
        turn_in_s: Estimated seconds until the backend has made the speech that it makes now.
        first_sentence_s: Estimated length of the first sentence in seconds.
        replaced: Returns whether another backend shall speak the following sentences.
        on_sentence: Called with the chunks, as they came, of each sentence that is complete.
    """

    def __init__(  # noqa: PLR0913 - its parts, all by keyword
        self,
        tracked: TrackedBackend,
        running: RunningSpeech,
        *,
        outbox: Outbox,
        policy: RouterPolicy,
        clock: Clock,
        is_fallback: bool,
        alternatives: Alternatives,
        turn_in_s: float,
        first_sentence_s: float,
        replaced: Callable[[], bool],
        on_sentence: Callable[[list[AudioChunk]], None],
    ) -> None:
        self._tracked = tracked
        self._name = tracked.name
        self._running = running
        self._outbox = outbox
        self._policy = policy
        self._clock = clock
        self._is_fallback = is_fallback
        self._alternatives = alternatives
        self._timeout = ChunkTimeout(
            tracked,
            policy=policy,
            outbox=outbox,
            alternatives=alternatives,
            turn_in_s=turn_in_s,
            sentence_s=first_sentence_s,
        )
        self._replaced = replaced
        self._on_sentence = on_sentence

    async def speak(
        self, request: SynthesisRequest, passage: tuple[str, ...], *, default_voice_allowed: bool
    ) -> None:
        """Speak a passage of a request.

        Args:
            request: The request.
            passage: The sentences to speak in place of its text.
            default_voice_allowed: Whether a fallback that lacks the voice speaks with its own.

        Raises:
            RequestError: the backend refused the request.
            BackendError: it failed, or was late.
        """
        named = request.voice is not None or request.reference is not None
        if self._is_fallback and not named:  # it keeps the voice that listeners know
            request = replace(request, voice=self._policy.fallback_voice)
        request = replace(request, text=passage, replaceable=self._replaceable)
        if request.replaceable:
            limit_s = _ASKED * self._timeout.seconds(ReceivedSentence())
            request = replace(request, first_audio_within_s=limit_s)
        begun = self._outbox.n_complete
        try:
            await self._relay(request, passage)
        except RequestError as err:
            if not (default_voice_allowed and self._is_fallback):
                raise
            try:
                rest = passage[self._outbox.n_complete - begun :]
                await self._relay(self._with_default_voice(request, rest), rest)
            except RequestError:
                raise SynthesisFailedError(
                    Translatable(
                        "{name} cannot speak as a fallback: {detail}",
                        name=self._name,
                        detail=err.detail,
                    )
                ) from err

    def _with_default_voice(
        self, request: SynthesisRequest, passage: tuple[str, ...]
    ) -> SynthesisRequest:
        return replace(
            request,
            text=passage,
            voice=None,
            reference=None,
            watermark=request.watermark and self._name != LAST_RESORT,
            request_id=f"{request.request_id}-own",
        )

    async def _relay(self, request: SynthesisRequest, passage: tuple[str, ...]) -> None:
        outbox, name = self._outbox, self._name
        base = outbox.n_complete
        sentence, whole_s = ReceivedSentence(), 0.0
        try:
            async with aclosing(self._tracked.backend.stream(request)) as stream:
                while (chunk := await self._next(stream, sentence)) is not None:
                    if not base + chunk.sentence == outbox.n_complete < base + len(passage):
                        raise BadResponseError(
                            Translatable("{name} spoke the sentences out of order.", name=name)
                        )
                    whole_s = estimated_seconds((passage[chunk.sentence],), request.speed)
                    if not (chunk.pcm or chunk.final):
                        self._shows_life(chunk, sentence, whole_s)
                        continue
                    if chunk.restarted:
                        sentence = ReceivedSentence(waited_s=sentence.waited_s)
                    if not sentence.begun:
                        sentence.begun = True
                        self._running.begins()
                        await outbox.make_room()
                    await self._take(chunk, sentence, whole_s)
                    if chunk.final:
                        self._on_sentence(sentence.received)
                        sentence = ReceivedSentence()
                        if self._replaced():
                            return
        except TooSlowError:
            self._measure(sentence, whole_s)
            raise
        if outbox.n_complete < base + len(passage):
            raise StreamInterruptedError(
                Translatable("{name} stopped before the last sentence.", name=name)
            )

    def _shows_life(self, chunk: AudioChunk, sentence: ReceivedSentence, whole_s: float) -> None:
        """Take an empty chunk: the backend works, on this sentence or first on others.

        Raises:
            BackendError: the listener has waited long for it, and need not.
        """
        sentence.shows_life(waits=chunk.waiting)
        self._timeout.turn_is_shown()
        silent_s = sentence.silent_s(self._outbox.dry_s)
        if chunk.waiting:
            self._wait_for_turn(silent_s)
        elif silent_s > self._policy.latest_start_s and self._replaceable:
            raise too_slow(self._name, (sentence.waited_s - sentence.turn_s) / whole_s)

    def _wait_for_turn(self, silent_s: float) -> None:
        """Go on waiting for a turn, unless it comes too late: known when others have begun theirs.

        Raises:
            BackendBusyError: another backend speaks sooner.
        """
        wait_s = silent_s
        if not self._outbox.n_complete:
            wait_s += self._running.turn_in_s
        if wait_s > self._policy.latest_turn_s and self._replaceable:
            raise self._gives_up(wait_s)

    def _gives_up(self, wait_s: float) -> BackendError:
        self._running.gives_up(wait_s)
        return turn_too_late(self._name, wait_s)

    def _sent_nothing(self, sentence: ReceivedSentence, limit_s: float) -> BackendError:
        if sentence.waits and limit_s < self._policy.stall_s:
            # How much longer it would have waited, nobody knows.
            silent_s = sentence.silent_s(self._outbox.dry_s)
            return self._gives_up(silent_s + self._policy.latest_turn_s)
        return stalled(self._name, limit_s)

    @property
    def _replaceable(self) -> bool:
        return self._alternatives.replaceable(self._tracked)

    async def _next(
        self, stream: AsyncIterator[AudioChunk], sentence: ReceivedSentence
    ) -> AudioChunk | None:
        """Return the next chunk, with a time limit for a backend that hangs."""
        limit_s = self._timeout.seconds(sentence)
        began_s = self._clock.monotonic()
        chunk: AudioChunk | None = None
        late: TimeoutError | None = None
        try:
            async with asyncio.timeout(limit_s):
                chunk = await anext(stream, None)
        except TimeoutError as err:
            late = err
        finally:
            sentence.waited_s += self._clock.monotonic() - began_s
        if late is not None:
            raise self._sent_nothing(sentence, limit_s) from late
        if chunk is not None and not isinstance(chunk, AudioChunk):  # a backend by the user
            raise BadResponseError(
                Translatable("{name} returned something that is not audio.", name=self._name)
            )
        return chunk

    async def _take(self, chunk: AudioChunk, sentence: ReceivedSentence, whole_s: float) -> None:
        outbox = self._outbox
        speaker = replace(
            chunk.speaker,
            backend=self._name,
            fallback=chunk.speaker.fallback or self._is_fallback,
        )
        chunk = replace(chunk, sentence=outbox.n_complete, speaker=speaker, restarted=False)
        outbox.rate_hz = outbox.rate_hz or chunk.sample_rate_hz
        await sentence.add(chunk, rate_hz=outbox.rate_hz)
        self._running.makes(sentence.seconds, sentence.factor)
        self._timeout.turn_is_shown()
        if chunk.final:
            self._measure(sentence, whole_s)
            if not sentence.seconds:
                raise UnpronounceableError(
                    Translatable("{name} found nothing to say in the sentence.", name=self._name)
                )
            outbox.release(sentence)
        elif self._plays_live(sentence):
            # A later sentence waits until it is complete, unless the listener would wait for it.
            if outbox.n_complete == 0 or outbox.ahead_s < _NEARLY_DRY_S:
                outbox.release(sentence)
        elif sentence.follows and self._is_late(sentence, whole_s) and self._replaceable:
            raise too_slow(self._name, sentence.waited_s / sentence.seconds)

    def _is_late(self, sentence: ReceivedSentence, whole_s: float) -> bool:
        """Return whether the listener will have waited too long when the sentence is complete."""
        silent_s = sentence.silent_s(self._outbox.dry_s)
        late_s = silent_s + sentence.rest_in_s(whole_s) - self._outbox.ahead_s
        return late_s > self._policy.latest_start_s

    def _plays_live(self, sentence: ReceivedSentence) -> bool:
        """Return whether the sentence may sound before it is complete, without holes in it.

        Where the backend has become slow, the rest of a sentence that sounds is made whole: one
        hole, not one after each chunk.
        """
        if sentence.lags:
            return False
        if sentence.released:
            return True
        factor = self._tracked.speed.real_time_factor
        if factor is None:
            return sentence.keeps_up
        return factor * self._tracked.backlog.n_running <= 1.0

    def _measure(self, sentence: ReceivedSentence, whole_s: float) -> None:
        first_audio_s = None if sentence.first_audio_s is None else sentence.longest_gap_s
        self._running.measured(
            MadeSentence(
                audio_s=sentence.seconds,
                waited_s=sentence.waited_s - sentence.turn_s,
                first_audio_s=first_audio_s,
                estimated_s=whole_s,
            )
        )
