"""Record of the time of the last accepted address update, which no later one may repeat."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from vieneu_core.files import PRIVATE, write_atomic
from vieneu_core.untrusted_json import read_json

_LOGGER = logging.getLogger(__name__)
RECORD_FILE = "address-updates.json"
"""Name of the file of an `UpdateRecord` in a folder of state."""
_MOST_TOKENS = 16
_MAX_BYTES = 16_384


class UpdateRecord:
    """Times of accepted address updates in a file, so that a restart forgets none. Blocking.

    Args:
        path: The file; it and its folder are made when they are first needed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def last(self, key: str) -> datetime | None:
        """Return the time of the last update of a token; None where none is known."""
        with suppress(KeyError, TypeError, ValueError):
            if (found := datetime.fromisoformat(self._read()[key])).tzinfo is not None:
                return found
        return None

    def keep(self, key: str, time: datetime) -> None:
        """Record the time of an update. A file that cannot be written is logged."""
        times = self._read()
        times.pop(key, None)
        times[key] = time.isoformat()
        newest = dict(list(times.items())[-_MOST_TOKENS:])
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, json.dumps(newest, indent=1), mode=PRIVATE)
        except OSError as error:
            _LOGGER.warning(
                "The time of the last address update cannot be kept in %s: %s. After a restart the"
                " same update would be accepted again within five minutes.",
                self._path,
                error.strerror,
            )

    def _read(self) -> dict[str, str]:
        try:
            found = read_json(self._path, max_bytes=_MAX_BYTES)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
