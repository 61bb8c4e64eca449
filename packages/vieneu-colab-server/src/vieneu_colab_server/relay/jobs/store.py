"""Jobs on the disk: a private folder for each, from which they go on after any end. Blocking.

::

    <id>/job.json              the job as it is; a folder without it is no job
    <id>/plan.json             its sentences
    <id>/reference             its reference audio, if it has any: a line of JSON, then FLAC
    <id>/sentences/000042      a line of JSON, then the samples; there once the sentence is finished
    <id>/speech.mp3, .srt      the result

Each file is whole or not there. Ids are made here, and no other name from outside becomes a path.
"""

from __future__ import annotations

import logging
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from vieneu_colab_server.relay.jobs.errors import (
    DamagedJobError,
    JobNotFoundError,
    JobQuotaError,
    JobStorageError,
)
from vieneu_colab_server.relay.jobs.finished_sentence import (
    FinishedSentence,
    head_of,
    joined,
    split,
)
from vieneu_colab_server.relay.jobs.folder import locked, size_of, translated
from vieneu_colab_server.relay.jobs.job import Job, JobState
from vieneu_colab_server.relay.jobs.kept_reference import restored
from vieneu_colab_server.relay.jobs.plan import Plan
from vieneu_core.files import PRIVATE, write_atomic
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)
_ID = re.compile(r"[0-9a-f]{32}")
_JOB, _PLAN, _SENTENCES, _RESULT = "job.json", "plan.json", "sentences", "speech"
_REFERENCE = "reference"
_PRIVATE_FOLDER = 0o700
_MIB = 1024 * 1024


def new_job_id() -> str:
    """Return an id that nobody can guess."""
    return secrets.token_hex(16)


class JobStore:
    """The folder of all jobs. One process at a time uses it, between `open` and `close`.

    Args:
        folder: Made where it is not there; only its owner can read it.
        max_total_bytes: Nothing is added beyond that.
        max_owner_bytes: Nor to the jobs of one owner beyond that; None: as many.
    """

    def __init__(
        self, folder: Path, *, max_total_bytes: int, max_owner_bytes: int | None = None
    ) -> None:
        self._root = folder
        self._max_total_bytes = max_total_bytes
        self._max_owner_bytes = max_owner_bytes or max_total_bytes
        self._lock: IO[bytes] | None = None
        self._n_bytes: dict[str, int] = {}
        self._owners: dict[str, str] = {}

    def open(self) -> list[Job]:
        """Return the jobs that are there, the oldest first; what killed writers left is removed.

        Raises:
            ConfigurationError: another process uses the folder.
            JobStorageError: it cannot be used.
        """
        with translated():
            self._root.mkdir(_PRIVATE_FOLDER, parents=True, exist_ok=True)
            self._root.chmod(_PRIVATE_FOLDER)
            self._lock = locked(self._root)
            folders = [path for path in self._root.iterdir() if _ID.fullmatch(path.name)]
            found = [self._loaded(folder) for folder in folders]
        return sorted(filter(None, found), key=lambda job: (job.created_at, job.id))

    def close(self) -> None:
        """Let another process use the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _loaded(self, folder: Path) -> Job | None:
        for draft in [*folder.rglob(".*.tmp"), *folder.rglob(".*.part")]:
            draft.unlink(missing_ok=True)
        try:
            job = Job.model_validate_json((folder / _JOB).read_bytes())
        except FileNotFoundError:  # it was being made, or removed
            shutil.rmtree(folder, ignore_errors=True)
            return None
        except ValidationError:
            _LOGGER.warning("The job %s cannot be read; it is left as it is.", folder.name)
            return None
        if job.id != folder.name:
            return None
        if job.state in {JobState.DONE, JobState.CANCELLED}:
            self.finish(job.id)
        self._n_bytes[job.id], self._owners[job.id] = size_of(folder), job.owner
        return job

    # --- jobs ---------------------------------------------------------------------------------

    def create(self, job: Job, plan: Plan, reference: bytes | None = None) -> None:
        """Keep a new job, with its reference audio (as of `kept`) if it has any.

        Raises:
            JobStorageError: there is no room, or it cannot be written.
        """
        files = {_PLAN: plan.model_dump_json().encode()}
        if reference is not None:
            files[_REFERENCE] = reference
        n_bytes = sum(map(len, files.values()))
        folder = self._folder(job.id)
        self._owners[job.id] = job.owner
        try:
            self.require_room(job.id, n_bytes)
            with translated():
                folder.mkdir(_PRIVATE_FOLDER)
                (folder / _SENTENCES).mkdir(_PRIVATE_FOLDER)
                for name, content in files.items():
                    write_atomic(folder / name, content, mode=PRIVATE)
                write_atomic(folder / _JOB, job.model_dump_json(), mode=PRIVATE)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            del self._owners[job.id]
            raise
        self._n_bytes[job.id] = n_bytes

    def save(self, job: Job) -> None:
        """Keep a job as it is now.

        Raises:
            JobStorageError: it cannot be written; on the disk it is as it was.
        """
        with translated():
            write_atomic(self._folder(job.id) / _JOB, job.model_dump_json(), mode=PRIVATE)

    def plan(self, job_id: str) -> Plan:
        """Return the sentences of a job.

        Raises:
            DamagedJobError: they are not as they were written.
            JobStorageError: they cannot be read.
        """
        path = self._folder(job_id) / _PLAN
        try:
            with translated():
                content = path.read_bytes() if path.exists() else b""
            return Plan.model_validate_json(content)
        except ValidationError as error:
            raise DamagedJobError("The list of sentences of this job is damaged.") from error

    def reference(self, job_id: str) -> ReferenceAudio:
        """Return the reference audio of a job that has some.

        Raises:
            DamagedJobError: it is not as it was written.
            JobStorageError: it cannot be read.
        """
        path = self._folder(job_id) / _REFERENCE
        with translated():
            content = path.read_bytes() if path.exists() else b""
        return restored(content)

    def finish(self, job_id: str) -> None:
        """Remove what only an unfinished job needs."""
        folder = self._folder(job_id)
        shutil.rmtree(folder / _SENTENCES, ignore_errors=True)
        for name in (_REFERENCE, _PLAN):
            with suppress(OSError):
                (folder / name).unlink(missing_ok=True)
        self._n_bytes[job_id] = size_of(folder)

    def remove(self, job_id: str) -> None:
        """Remove a job and all of its files.

        Raises:
            JobStorageError: they cannot be removed.
        """
        folder = self._folder(job_id)
        with translated():
            (folder / _JOB).unlink(missing_ok=True)  # without it the rest is nobody's
            shutil.rmtree(folder, ignore_errors=True)
        self._n_bytes.pop(job_id, None)
        self._owners.pop(job_id, None)

    # --- sentences ----------------------------------------------------------------------------

    def keep(self, job_id: str, index: int, spoken: FinishedSentence, pcm: bytes) -> None:
        """Keep a finished sentence in the place of what was kept of it before.

        Raises:
            JobStorageError: there is no room, or it cannot be written.
        """
        content = joined(spoken, pcm)
        self.require_room(job_id, len(content))
        path = self._sentence(job_id, index)
        with translated():
            before = path.stat().st_size if path.exists() else 0
            write_atomic(path, content, mode=PRIVATE)
        self._n_bytes[job_id] = self._n_bytes.get(job_id, 0) + len(content) - before

    def finished(self, job_id: str) -> dict[int, FinishedSentence]:
        """Return what is known of each finished sentence, by its index. Damaged ones are not.

        Raises:
            JobStorageError: they cannot be read.
        """
        found: dict[int, FinishedSentence] = {}
        with translated():
            (self._folder(job_id) / _SENTENCES).mkdir(_PRIVATE_FOLDER, exist_ok=True)
            for path in (self._folder(job_id) / _SENTENCES).iterdir():
                if path.name.isdecimal() and (spoken := head_of(path)) is not None:
                    found[int(path.name)] = spoken
        return found

    def samples(self, job_id: str, index: int) -> bytes:
        """Return the samples of a finished sentence.

        Raises:
            DamagedJobError: they are not as they were written.
            JobStorageError: they cannot be read.
        """
        with translated():
            return split(self._sentence(job_id, index).read_bytes())

    # --- the result ---------------------------------------------------------------------------

    def audio_path(self, job: Job) -> Path:
        """Return the path of the audio file, whether it is there or not."""
        return self._folder(job.id) / f"{_RESULT}.{job.spec.format.value}"

    def subtitles_path(self, job_id: str) -> Path:
        """Return the path of the subtitles, whether they are there or not."""
        return self._folder(job_id) / f"{_RESULT}.srt"

    def write_subtitles(self, job_id: str, text: str) -> None:
        """Write the subtitles.

        Raises:
            JobStorageError: they cannot be written.
        """
        with translated():
            write_atomic(self.subtitles_path(job_id), text, mode=PRIVATE)

    def require_room(self, job_id: str, n_bytes: int) -> None:
        """Make sure that so many bytes more may be kept of a job.

        Raises:
            JobStorageError: they may not.
        """
        kept, owner = dict(self._n_bytes), self._owners.get(job_id)
        used = sum(kept.values())
        if used + n_bytes > self._max_total_bytes:
            text = "The jobs take {used} MB, and {wanted} MB more would exceed their {most} MB."
            raise JobStorageError(_no_room(text, used, n_bytes, self._max_total_bytes))
        others = [one for one in kept if one != job_id and self._owners.get(one) == owner]
        used = sum(kept[one] for one in others) + kept.get(job_id, 0)
        if others and used + n_bytes > self._max_owner_bytes:  # a job alone may take all the room
            text = (
                "The jobs of this token take {used} MB, and {wanted} MB more would exceed their "
                "{most} MB."
            )
            raise JobQuotaError(_no_room(text, used, n_bytes, self._max_owner_bytes))

    def _folder(self, job_id: str) -> Path:
        if not _ID.fullmatch(job_id):
            raise JobNotFoundError("There is no job with this id.")
        return self._root / job_id

    def _sentence(self, job_id: str, index: int) -> Path:
        return self._folder(job_id) / _SENTENCES / f"{index:06d}"


def _no_room(text: str, used: int, wanted: int, most: int) -> Translatable:
    return Translatable(text, used=used // _MIB, wanted=-(-wanted // _MIB), most=most // _MIB)
