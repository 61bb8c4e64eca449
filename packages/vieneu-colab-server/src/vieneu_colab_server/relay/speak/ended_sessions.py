"""Record of the sessions of the Speak page that a log-out has ended."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vieneu_core.clock import Clock
from vieneu_core.files import PRIVATE, write_atomic
from vieneu_core.untrusted_json import read_json

_LOGGER = logging.getLogger(__name__)
SESSION_S = 30 * 24 * 3_600
"""The time of a session is over after so long; then the token is entered again."""
MOST_KEPT = 1_000
_MAX_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class _Ended:
    """Content of the file. Times are seconds of the calendar."""

    until: int = 0
    """Every session whose time is over before this has ended, whatever its id."""
    sessions: dict[str, int] = field(default_factory=dict)
    """When the time of a session is over, by its id."""


class EndedSessions:
    """Ids of ended sessions in a file, until their time is over, so that a restart forgets none.

    Of more than `MOST_KEPT`, those that would be over first are forgotten as ids: from then on,
    all sessions that are over as early have ended. None opens again; some users log in again.

    Args:
        path: The file; it and its folder are made when they are first needed.
        clock: Calendar time.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._adding = threading.Lock()
        self._ended = self._read()

    def has(self, session_id: str, ends_at: int) -> bool:
        """Whether a session was ended.

        Args:
            session_id: Its id.
            ends_at: When its time is over.
        """
        ended = self._ended
        return ends_at < ended.until or session_id in ended.sessions

    def add(self, session_id: str, ends_at: int) -> None:
        """End a session. A file that cannot be written is logged. Blocking.

        Args:
            session_id: Its id.
            ends_at: When its time is over, or later.
        """
        with self._adding:
            self._ended = self._with(session_id, ends_at)
            self._write()

    def _with(self, session_id: str, ends_at: int) -> _Ended:
        now = self._clock.now().timestamp()
        sessions = {key: end for key, end in self._ended.sessions.items() if end > now}
        sessions[session_id] = ends_at
        by_end = sorted(sessions.items(), key=lambda entry: entry[1])
        forgotten, kept = by_end[:-MOST_KEPT], by_end[-MOST_KEPT:]
        until = max([self._ended.until, *(end + 1 for _, end in forgotten)])
        return _Ended(until, dict(kept))

    def _write(self) -> None:
        content = {"ended_until": self._ended.until, "sessions": self._ended.sessions}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, json.dumps(content, indent=1), mode=PRIVATE)
        except OSError as error:
            _LOGGER.warning(
                "The end of a session of the Speak page cannot be kept in %s: %s. After a restart a"
                " copy of its cookie would be valid again; a new token for speech prevents that.",
                self._path,
                error.strerror,
            )

    def _read(self) -> _Ended:
        try:
            return _parsed(read_json(self._path, max_bytes=_MAX_BYTES))
        except FileNotFoundError:
            return _Ended()
        except (OSError, ValueError):
            _LOGGER.warning(
                "%s cannot be read: all sessions of the Speak page have ended. If this is logged at"
                " the next start too, remove the file.",
                self._path,
            )
            return _Ended(int(self._clock.now().timestamp()) + SESSION_S)


def _parsed(content: Any) -> _Ended:
    """Return the content of the file.

    Raises:
        ValueError: it is not as it was written.
    """
    try:
        until, sessions = content["ended_until"], content["sessions"]
        is_whole = all(isinstance(each, int) for each in (until, *sessions.values()))
    except (LookupError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        raise ValueError("not a record of ended sessions")
    return _Ended(until, sessions)
