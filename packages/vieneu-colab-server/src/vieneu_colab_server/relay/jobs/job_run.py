"""The run of one job: its sentences are spoken and kept one after another, then joined."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from vieneu_colab_server.problems import problem_of
from vieneu_colab_server.relay.jobs.assemble import Assembly
from vieneu_colab_server.relay.jobs.attempt import Announcements, FindReference
from vieneu_colab_server.relay.jobs.errors import JobStorageError
from vieneu_colab_server.relay.jobs.finished_sentence import FinishedSentence
from vieneu_colab_server.relay.jobs.job import MAX_NOTES, Fallback, Job, JobState
from vieneu_colab_server.relay.jobs.plan import Plan
from vieneu_colab_server.relay.jobs.retries import JobRetries
from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_colab_server.relay.jobs.speaking import BackendAway, Finished, SentenceSpeaker
from vieneu_colab_server.relay.jobs.store import JobStore
from vieneu_colab_server.relay.jobs.turns import JobTurn
from vieneu_core.backends.base import Backend
from vieneu_core.backoff import Backoff
from vieneu_core.clock import Clock
from vieneu_core.errors import BackendError, VieneuError
from vieneu_core.request_pace import RequestPace
from vieneu_core.threads import on_thread

_FIRST_RETRY_S = 1.0
_T = TypeVar("_T")


class Update(Protocol):
    """Changes fields of a job that runs, keeps it where its state has changed, and publishes it."""

    async def __call__(self, **changes: object) -> None:
        """Raise `JobStorageError` where the job is done, and that cannot be kept."""
        ...


@dataclass(slots=True)
class JobRun:
    """Runs a job to its end; what was finished before is not spoken again.

    It has the turn when it begins, and lets other jobs have it while it waits.
    """

    job: Job
    update: Update
    backend: Backend
    store: JobStore
    clock: Clock
    announcements: Announcements
    find_reference: FindReference
    settings: JobSettings
    pace: RequestPace
    """Of all requests that nobody waits for."""
    turn: JobTurn
    retries: JobRetries
    backend_away: BackendAway
    _spoken: dict[int, FinishedSentence] = field(default_factory=dict, init=False)
    _problem: VieneuError | None = field(default=None, init=False)
    """Why it is paused."""

    async def to_its_end(self) -> None:
        """Speak what is not yet spoken, then make the files.

        Where nothing can speak or be written, it goes on as soon as that has changed.

        Raises:
            VieneuError: it has failed.
        """
        plan = await self._stored(lambda: on_thread(self.store.plan, self.job.id))
        found = await self._stored(lambda: on_thread(self.store.finished, self.job.id))
        self._spoken = {i: one for i, one in found.items() if i < len(plan.sentences)}
        await self.update(state=JobState.RUNNING, problem=None, n_done=len(self._spoken))
        await self._speak(plan)
        await self.update(joining=True)
        assembly = self._assembly(plan)
        result = await self._stored(lambda: assembly().write())
        await self._stored(
            lambda: self.update(
                state=JobState.DONE,
                problem=None,
                joining=False,
                ended_at=self.clock.now(),
                seconds=round(result.seconds, 3),
                n_bytes=result.n_bytes,
                n_notes=len(result.notes),
                notes=result.notes[:MAX_NOTES],
            )
        )

    def _assembly(self, plan: Plan) -> Callable[[], Assembly]:
        """Return what makes a new assembly for each try."""
        return lambda: Assembly(
            job=self.job,
            plan=plan,
            spoken=self._spoken,
            store=self.store,
            settings=self.settings,
            idle=self.announcements.over,
        )

    async def _speak(self, plan: Plan) -> None:
        if self._all_spoken(plan):
            return
        speaker = SentenceSpeaker(
            backend=self.backend,
            spec=self.job.spec,
            settings=self.settings,
            clock=self.clock,
            announcements=self.announcements,
            find_reference=await self._find_reference(),
            pause=self._pause,
            pace=self.pace,
            backend_away=self.backend_away,
            heard={plan.sentences[i].voice for i, one in self._spoken.items() if one.n_samples},
        )
        for index, sentence in enumerate(plan.sentences):
            if index not in self._spoken:
                await self._let_older_go_first()
                await self._keep(index, await speaker.finish(sentence))
        if self.job.spec.fallback is Fallback.WAIT:
            await self._speak_again(plan, speaker)

    def _all_spoken(self, plan: Plan) -> bool:
        better = any(one.fallback or one.may_return for one in self._spoken.values())
        return len(self._spoken) == len(plan.sentences) and not better

    async def _find_reference(self) -> FindReference:
        """Return what finds the clip of a voice; a job's own is that of sentences without one."""
        if not self.job.spec.has_reference:
            return self.find_reference
        own = await self._stored(lambda: on_thread(self.store.reference, self.job.id))
        return lambda voice: own if voice is None else self.find_reference(voice)

    async def _speak_again(self, plan: Plan, speaker: SentenceSpeaker) -> None:
        """Speak again what a fallback spoke, or an engine could not, if that is possible now."""
        for index, before in sorted(self._spoken.items()):
            if not (before.fallback or before.may_return):
                continue
            await self._let_older_go_first()
            try:
                finished = await speaker.again(plan.sentences[index])
            except BackendError:
                return
            if finished is not None:
                await self._keep(index, finished)

    async def _keep(self, index: int, finished: Finished) -> None:
        await self._stored(lambda: on_thread(self.store.keep, self.job.id, index, *finished))
        self._spoken[index] = finished[0]
        self._problem = None
        await self.update(state=JobState.RUNNING, problem=None, n_done=len(self._spoken))

    async def _let_older_go_first(self) -> None:
        """Let an older job try again, and speak on if it can."""
        if self.turn.older_waits:
            await self.update(state=JobState.QUEUED)
            self.turn.release()
            await self.turn.take()
            await self.update(state=JobState.RUNNING)

    async def _stored(self, action: Callable[[], Awaitable[_T]]) -> _T:
        """Do what needs room on the disk; where there is none, wait and try again."""
        n_failures = 0
        while True:
            try:
                return await action()
            except JobStorageError as error:
                n_failures += 1
                await self._pause(error, n_failures)

    async def _pause(
        self, error: VieneuError, n_failures: int, reason: Hashable | None = None
    ) -> float:
        """Show why nothing happens, and wait until it is time to try again; others may run.

        Args:
            error: Why.
            n_failures: How often in a row.
            reason: What other jobs wait for, too; None: nothing.

        Returns:
            The seconds for which only the turn was waited for.
        """
        if self._problem is None or self._problem.detail != error.detail:
            self._problem = error
            await self.update(state=JobState.PAUSED, problem=problem_of(error))
        longest_s = self.settings.longest_retry_s
        pause_s = Backoff(first_s=_FIRST_RETRY_S, longest_s=longest_s).pause_s(n_failures)
        pause_s = max(pause_s, min(error.retry_after_s or 0.0, longest_s))
        return await self.retries.wait(reason or self.job.id, pause_s, self.turn)
