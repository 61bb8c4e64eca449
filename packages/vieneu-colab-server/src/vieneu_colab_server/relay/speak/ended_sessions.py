"""Record of the sessions of the Speak page that a log-out, or a login in its place, has ended."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, field, replace
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
    spans: tuple[tuple[int, int], ...] = ()
    """First and last end: every session whose time is over within these has ended."""
    of_admin: dict[str, int] = field(default_factory=dict)
    """When the time of a session that an admin had is over at the latest, by its id."""


class EndedSessions:
    """Ids of ended sessions in a file, until their time is over, so that a restart forgets none.

    Of more than `MOST_KEPT`, those that would be over at nearly the same time are forgotten as ids:
    from then on, all sessions that are over between them have ended. So none opens again, and who
    logs in and out many times ends only the sessions of those who logged in meanwhile. Sessions of
    admins are kept apart, by the latest end that they can have: of too many, all that are over
    before the first ones of them have ended.

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
        if ends_at < ended.until or session_id in ended.sessions or session_id in ended.of_admin:
            return True
        return any(first <= ends_at <= last for first, last in ended.spans)

    def add(self, session_id: str, ends_at: int) -> None:
        """End a session. A file that cannot be written is logged. Blocking.

        Args:
            session_id: Its id.
            ends_at: When its time is over.
        """
        with self._adding:
            before = self._of_now()
            sessions = {**before.sessions, session_id: ends_at}
            self._ended = _joined(replace(before, sessions=sessions))
            self._write()

    def add_of_admin(self, session_id: str, ends_at: int) -> None:
        """End a session of an admin, as `add` does.

        Args:
            session_id: Its id.
            ends_at: When its time is over, or later.
        """
        with self._adding:
            before = self._of_now()
            sessions = {**before.of_admin, session_id: ends_at}
            by_end = sorted(sessions.items(), key=lambda entry: entry[1])
            forgotten, kept = by_end[:-MOST_KEPT], by_end[-MOST_KEPT:]
            until = max([before.until, *(end + 1 for _, end in forgotten)])
            self._ended = replace(before, until=until, of_admin=dict(kept))
            self._write()

    def _of_now(self) -> _Ended:
        """Return what is ended, without those whose time is over."""
        ended, now = self._ended, self._clock.now().timestamp()
        return _Ended(
            ended.until,
            _later(ended.sessions, now),
            tuple(span for span in ended.spans if span[1] > now),
            _later(ended.of_admin, now),
        )

    def _write(self) -> None:
        content = {
            "ended_until": self._ended.until,
            "sessions": self._ended.sessions,
            "spans": self._ended.spans,
            "of_admin": self._ended.of_admin,
        }
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


def _later(sessions: dict[str, int], now: float) -> dict[str, int]:
    return {key: end for key, end in sessions.items() if end > now}


def _joined(ended: _Ended) -> _Ended:
    """Return the same with at most `MOST_KEPT` sessions and spans: the nearest become one span."""
    known = [(end, end, key) for key, end in ended.sessions.items()]
    known = sorted([*known, *((first, last, "") for first, last in ended.spans)])
    while len(known) > MOST_KEPT:
        nearest = min(range(len(known) - 1), key=lambda n: known[n + 1][0] - known[n][1])
        one, other = known[nearest : nearest + 2]
        known[nearest : nearest + 2] = [(one[0], max(one[1], other[1]), "")]
    return replace(
        ended,
        sessions={key: end for _, end, key in known if key},
        spans=tuple((first, last) for first, last, key in known if not key),
    )


def _parsed(content: Any) -> _Ended:
    """Return the content of the file.

    Raises:
        ValueError: it is not as it was written.
    """
    try:
        until, sessions = content["ended_until"], content["sessions"]
        spans = tuple((first, last) for first, last in content.get("spans", ()))
        of_admin = content.get("of_admin", {})
        times = (
            until,
            *sessions.values(),
            *of_admin.values(),
            *(end for ends in spans for end in ends),
        )
        is_whole = all(isinstance(each, int) for each in times)
    except (LookupError, TypeError, ValueError, AttributeError):
        is_whole = False
    if not is_whole:
        raise ValueError("not a record of ended sessions")
    return _Ended(until, sessions, spans, of_admin)
