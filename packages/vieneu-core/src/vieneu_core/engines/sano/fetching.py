"""Download of the voice when it is first needed, without holding up speech where there is no hub.

The download goes on in the background for as long as the process runs, and is resumed by the next.
A failure is remembered for an hour, so that not every start waits for a network that is not there.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from vieneu_core.backoff import Backoff
from vieneu_core.config.paths import state_dir
from vieneu_core.engines.base import LoadProgress, OnLoad
from vieneu_core.engines.sano.options import SanoOptions
from vieneu_core.errors import ModelDownloadError, ModelLoadError
from vieneu_core.files import write_atomic
from vieneu_core.models.catalogue import PUBLIC_FILE_BYTES, model_of, model_source
from vieneu_core.models.download import RetryPolicy
from vieneu_core.models.hub import Hub, find_cached, hub_cache_dir
from vieneu_core.models.hub_client import is_offline
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import read_json

FAILURES_FILE = "voice-download.json"
"""File of `FailureRecord` in the folder of state."""
RETRY_AFTER_S = 3600.0
"""Time for which a failed download is not tried again by itself."""
_STEP_S = 0.05


def sano_hub(options: SanoOptions, *, retry_policy: RetryPolicy | None = None) -> Hub:
    """Return the hub from which the voices come."""
    hub = Hub.of_environment(os.environ, cache_dir=options.cache, offline=options.offline)
    return replace(
        hub,
        public=True,
        max_file_bytes=PUBLIC_FILE_BYTES,
        retry_policy=retry_policy or hub.retry_policy,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadDeadlines:
    """How long a start waits for a download, in seconds."""

    silent_s: float = 5.0
    """Longest time without a byte, where something else can speak meanwhile."""
    longest_s: float = 30.0
    """Longest time in all."""
    alone_s: float = 600.0
    """The same where nothing else can speak meanwhile; the download has limits of its own."""


class VoiceDownload:
    """The download of the Vietnamese voice in the background.

    Args:
        options: Name the voice and the cache.
        deadlines: How long `wait` waits.
    """

    def __init__(self, options: SanoOptions, deadlines: DownloadDeadlines) -> None:
        self._options = options
        self._deadlines = deadlines
        self._failures = FailureRecord(state_dir(os.environ) / FAILURES_FILE)
        self._ended = threading.Event()
        self._ended.set()
        self._ended_s = time.monotonic()
        self._step = LoadProgress("")
        self._error: ModelLoadError | None = self.unfinished()

    @property
    def missing(self) -> bool:
        """Whether the voice is missing, and may be downloaded."""
        source = model_source(self._options.voice)
        if self._options.offline or source.path is not None or is_offline(os.environ):
            return False
        cache = self._options.cache or hub_cache_dir(os.environ)
        return find_cached(source, cache_dir=cache) is None

    @property
    def wanted(self) -> bool:
        """Whether it is missing, and its download has not just failed."""
        return self.missing and not self._failures.is_recent(
            model_source(self._options.voice).wanted
        )

    def is_done(self, within_s: float = 0.0) -> bool:
        """Return whether it has ended and the voice is there; wait for that so long."""
        return self._ended.wait(within_s) and self._error is None

    @property
    def is_running(self) -> bool:
        """Whether it has begun, and has not ended yet."""
        return not self._ended.is_set()

    @property
    def is_due(self) -> bool:
        """Whether it ended without the voice so long ago that it is tried again."""
        return not self.is_running and time.monotonic() - self._ended_s >= RETRY_AFTER_S

    def start(self) -> None:
        """Start the download, or start it again."""
        self._error = None
        self._ended.clear()
        source = model_source(self._options.voice)
        known = model_of(source)
        licence = known.licence if known is not None else "?"
        self._show(f"Downloading {source.repo} ({licence})", None, None)
        try:
            threading.Thread(target=self._fetch, name="voice-download", daemon=True).start()
        except RuntimeError as error:  # there are too many threads
            self._end(error)

    def wait(self, progress: OnLoad, *, alone: bool = False) -> None:
        """Wait for the download while it advances; its source and licence are reported first.

        Args:
            progress: Called with each step.
            alone: Whether nothing else can speak meanwhile.

        Raises:
            ModelLoadError: it failed, or sends nothing; then it goes on in the background.
        """
        longest_s = self._deadlines.alone_s if alone else self._deadlines.longest_s
        began_s = changed_s = time.monotonic()
        shown = self._step
        progress(shown)
        while not self._ended.wait(_STEP_S):
            now_s = time.monotonic()
            if self._step != shown:
                shown, changed_s = self._step, now_s
                progress(shown)
            if not alone and now_s - changed_s > self._deadlines.silent_s:
                raise self._given_up("The model hub sends nothing")
            if now_s - began_s > longest_s:
                raise self.unfinished()
        if self._error is not None:
            raise self._error

    @staticmethod
    def unfinished() -> ModelDownloadError:
        """Return the error for a voice that is on its way."""
        return ModelDownloadError(
            "The voice is still being downloaded.", remedy="It speaks as soon as it is there."
        )

    @staticmethod
    def postponed() -> ModelDownloadError:
        """Return the error for a voice whose download has failed, and is tried again later."""
        return ModelDownloadError(
            "The voice could not be downloaded; that is tried again within an hour.",
            remedy="Check the network; or download it: vieneu models get sano-vi",
        )

    def _fetch(self) -> None:
        """Download the voice; runs on its own thread."""
        source = model_source(self._options.voice)
        policy = RetryPolicy(
            timeout_s=10.0, max_tries_in_vain=2, backoff=Backoff(first_s=0.5, longest_s=5.0)
        )
        error: Exception | None = self.unfinished()
        try:
            sano_hub(self._options, retry_policy=policy).fetch(source, self._show)
        except ModelLoadError as failure:
            error = failure
            self._failures.put(source.wanted, str(failure.detail))
        except Exception as failure:  # noqa: BLE001 - a thread has nobody else to tell
            error = failure
        else:
            error = None
            self._failures.clear(source.wanted)
        finally:
            self._end(error)

    def _end(self, error: Exception | None) -> None:
        if error is not None and not isinstance(error, ModelLoadError):
            error = ModelLoadError(
                Translatable("The download failed with {kind}.", kind=type(error).__name__)
            )
        self._error, self._ended_s = error, time.monotonic()
        self._ended.set()

    def _show(self, step: str, done: int | None, total: int | None) -> None:
        self._step = LoadProgress(step, done, total)

    def _given_up(self, why: str) -> ModelDownloadError:
        self._failures.put(model_source(self._options.voice).wanted, why)
        return ModelDownloadError(
            Translatable("{why}; the voice is not downloaded yet.", why=why),
            remedy="Check the network; or download it: vieneu models get sano-vi",
        )


class FailureRecord:
    """Failed downloads, in a file. Blocking; if it cannot be written, nothing is remembered."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def is_recent(self, name: str, now_s: float | None = None) -> bool:
        """Return whether a download failed less than an hour ago."""
        at = self._all().get(name, {}).get("at")
        if not isinstance(at, int | float):
            return False
        age_s = (time.time() if now_s is None else now_s) - at
        return abs(age_s) < RETRY_AFTER_S  # a clock that was set back does not forbid it for ever

    def reason(self, name: str) -> str:
        """Return why the last download failed; empty if it did not."""
        return str(self._all().get(name, {}).get("why", ""))

    def put(self, name: str, why: str) -> None:
        """Record a failure."""
        self._write(self._all() | {name: {"at": round(time.time()), "why": why[:300]}})

    def clear(self, name: str) -> None:
        """Forget a failure."""
        if name in (failures := self._all()):
            del failures[name]
            self._write(failures)

    def _all(self) -> dict[str, dict[str, object]]:
        try:
            stored = read_json(self._path)
        except (OSError, ValueError):
            return {}
        if not isinstance(stored, dict):
            return {}
        return {str(key): value for key, value in stored.items() if isinstance(value, dict)}

    def _write(self, failures: dict[str, dict[str, object]]) -> None:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, json.dumps(failures, indent=1), durable=False)
