"""Speaks the sentences of one job, whatever fails meanwhile. Nothing is kept here.

- Announcements go first: a sentence that is being spoken is given up for them and spoken anew.
- Where nothing can speak the job is paused and tries again, for ever.
- A sentence that cannot be spoken by itself is left out, and the reason kept in its place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field

from vieneu_colab_server.problems import problem_of
from vieneu_colab_server.relay.jobs.attempt import (
    Announcements,
    FindReference,
    InterruptedByAnnouncementError,
    speak,
    speak_unless,
)
from vieneu_colab_server.relay.jobs.errors import ChosenVoiceAwayError
from vieneu_colab_server.relay.jobs.finished_sentence import FinishedSentence
from vieneu_colab_server.relay.jobs.job import Fallback, JobSpec
from vieneu_colab_server.relay.jobs.levels import measure
from vieneu_colab_server.relay.jobs.plan import Sentence
from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_core.audio.pcm import BYTES_PER_SAMPLE
from vieneu_core.backends.base import Backend
from vieneu_core.clock import Clock
from vieneu_core.errors import (
    AllBackendsFailedError,
    BackendError,
    BadAudioError,
    CloningUnsupportedError,
    RequestError,
    SynthesisFailedError,
    UnpronounceableError,
    VieneuError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
    WorkerDiedError,
)
from vieneu_core.request_pace import RequestPace
from vieneu_core.router.policy import Mode
from vieneu_core.synthesis import Speech, SynthesisRequest
from vieneu_core.threads import on_thread

_ABOUT_THE_VOICE = (VoiceNotFoundError, CloningUnsupportedError, WatermarkUnavailableError)
_ABOUT_THE_SENTENCE = (SynthesisFailedError, BadAudioError, WorkerDiedError)

BackendAway = Callable[[], bool]
"""Says whether a backend that is set up cannot speak now."""
Finished = tuple[FinishedSentence, bytes]
"""What is known of a sentence, and its samples."""


@dataclass(slots=True)
class SentenceSpeaker:
    """Speaks sentences for a job.

    Args:
        backend: Speaks.
        spec: What was asked for.
        settings: Limits.
        clock: Limits the wait for the chosen voice.
        announcements: Go first.
        find_reference: Finds the clips of uploaded voices.
        pause: Called with each failure, the number of failures in a row, and what other jobs may
            wait for, too; returns when to try again.
        pace: Spaces the requests to the remote backend.
        backend_away: Whether a backend is away: it may have a voice that the others lack.
        heard: Voices that have spoken in this job: one that is missing now may come back.
    """

    backend: Backend
    spec: JobSpec
    settings: JobSettings
    clock: Clock
    announcements: Announcements
    find_reference: FindReference
    pause: Callable[[VieneuError, int, Hashable | None], Awaitable[float]]
    pace: RequestPace
    backend_away: BackendAway
    heard: set[str | None]
    _wait_ends_s: float | None = field(default=None, init=False)
    _n_left_out: int = field(default=0, init=False)
    """Sentences in a row."""

    async def finish(self, sentence: Sentence) -> Finished:
        """Speak a sentence; return only once it is spoken or left out.

        Raises:
            VieneuError: no sentence of this voice can be spoken.
        """
        n_failures = n_tries = 0
        while True:
            try:
                finished = await self._spoken(sentence, refuse_fallback=self._refuses_fallback())
            except _ABOUT_THE_VOICE:
                if sentence.voice not in self.heard and not self.backend_away():
                    raise
                failure: BackendError = ChosenVoiceAwayError(
                    "The job waits for the backend that has this voice.",
                    remedy="Start that backend, or cancel the job and choose another voice.",
                )
            except RequestError as error:
                return _left_out(error, may_return=False)
            except BackendError as error:
                if _is_unpronounceable(error):  # however often it is tried
                    return _left_out(error, may_return=True)
                failure = error
                n_tries += _is_about_the_sentence(error)
                may_leave_out = self._n_left_out < self.settings.max_left_out
                if n_tries >= self.settings.max_tries and may_leave_out:
                    self._n_left_out += 1
                    return _left_out(error, may_return=True)
                self._note_absence(error)
            else:
                self._note_success(sentence, finished[0])
                return finished
            n_failures += 1
            others_s = await self.pause(failure, n_failures, self._reason(failure, sentence))
            if self._wait_ends_s is not None:  # it was not the backend that was waited for
                self._wait_ends_s += others_s

    async def again(self, sentence: Sentence) -> Finished | None:
        """Try once to speak a sentence with the chosen voice; None where it cannot be spoken so.

        Raises:
            ChosenVoiceAwayError: only a fallback would speak it.
            BackendError: nothing can speak.
        """
        try:
            return await self._spoken(sentence, refuse_fallback=True)
        except ChosenVoiceAwayError:
            raise
        except RequestError:
            return None
        except BackendError as error:
            if _is_about_the_sentence(error):
                return None
            raise

    async def _spoken(self, sentence: Sentence, *, refuse_fallback: bool) -> Finished:
        await self.pace.wait()
        begun_s = self.clock.monotonic()
        speech = await self._speech(sentence, refuse_fallback=refuse_fallback)
        pcm, rate_hz, speaker = speech.pcm, speech.sample_rate_hz, speech.speakers[-1]
        if speaker.backend == Mode.REMOTE.value:
            self.pace.sent(begun_s)
        if not pcm:
            raise UnpronounceableError(
                "No voice can pronounce this sentence.", backend=speaker.backend
            )
        spoken = FinishedSentence(
            sample_rate_hz=rate_hz,
            n_samples=len(pcm) // BYTES_PER_SAMPLE,
            backend=speaker.backend,
            engine=speaker.engine,
            voice=speaker.voice,
            fallback=speech.fallback,
            level=await on_thread(measure, pcm, rate_hz),
        )
        return spoken, pcm

    async def _speech(self, sentence: Sentence, *, refuse_fallback: bool) -> Speech:
        for _ in range(self.settings.max_interruptions):
            await self.announcements.over()
            begun_s = self.clock.monotonic()
            try:
                return await speak_unless(
                    self.announcements,
                    self.backend,
                    self._request(sentence),
                    refuse_fallback=refuse_fallback,
                )
            except InterruptedByAnnouncementError:
                self.pace.sent(begun_s)  # the remote backend may have counted it
        await self.announcements.over()
        return await speak(self.backend, self._request(sentence), refuse_fallback=refuse_fallback)

    def _request(self, sentence: Sentence) -> SynthesisRequest:
        reference = self.find_reference(sentence.voice)
        return SynthesisRequest(
            text=(sentence.text,),  # so that it is not split again
            voice=sentence.voice if reference is None else None,
            reference=reference,
            language=self.spec.language,
            speed=self.spec.speed,
            watermark=self.spec.watermark,
        )

    def _reason(self, failure: BackendError, sentence: Sentence) -> Hashable | None:
        """Return what a job waits for: the same for those that the same backend will speak."""
        if _is_about_the_sentence(failure):
            return None
        spec = self.spec
        own_clip = sentence.voice is None and spec.has_reference
        return failure.code, sentence.voice, own_clip, spec.language, spec.watermark

    def _refuses_fallback(self) -> bool:
        if self.spec.fallback is Fallback.ACCEPT:
            return False
        return self._wait_ends_s is None or self.clock.monotonic() < self._wait_ends_s

    def _note_absence(self, error: BackendError) -> None:
        if isinstance(error, ChosenVoiceAwayError) and self._wait_ends_s is None:
            self._wait_ends_s = self.clock.monotonic() + self.settings.fallback_wait_s

    def _note_success(self, sentence: Sentence, spoken: FinishedSentence) -> None:
        self._n_left_out = 0
        self.heard.add(sentence.voice)
        if not spoken.fallback:
            self._wait_ends_s = None


def _left_out(error: VieneuError, *, may_return: bool) -> Finished:
    return FinishedSentence(problem=problem_of(error), may_return=may_return), b""


def _is_about_the_sentence(error: BackendError) -> bool:
    return any(isinstance(cause, _ABOUT_THE_SENTENCE) for cause in _causes(error))


def _is_unpronounceable(error: BackendError) -> bool:
    causes = _causes(error)
    return bool(causes) and all(isinstance(cause, UnpronounceableError) for cause in causes)


def _causes(error: BackendError) -> tuple[BackendError, ...]:
    return error.causes if isinstance(error, AllBackendsFailedError) else (error,)
