"""Monthly quota of the tunnel: counts requests and bytes, and warns before it is used up.

Defaults are those of ngrok's free plan: 20 000 requests and 1 GB out per calendar month.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vieneu_core.clock import Clock
from vieneu_core.files import write_atomic
from vieneu_core.untrusted_json import read_json

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaStatus:
    """Used part of this month's quota."""

    month: str
    """Calendar month in UTC, ``2026-11``."""
    requests: int
    bytes: int
    monthly_requests: int
    monthly_bytes: int

    @property
    def used(self) -> float:
        """Used share of requests or bytes, whichever is larger; may exceed 1."""
        return max(self.requests / self.monthly_requests, self.bytes / self.monthly_bytes)


class TunnelQuota:
    """Counter for one tunnel account. Counting never blocks; `flush` writes on a thread."""

    def __init__(
        self,
        path: Path | None,
        *,
        clock: Clock,
        monthly_requests: int = 20_000,
        monthly_bytes: int = 1_000_000_000,
    ) -> None:
        self._path = path
        self._clock = clock
        self._limits = (monthly_requests, monthly_bytes)
        self._month = self._this_month()
        self._requests = self._bytes = 0
        self._warned: set[float] = set()
        self._dirty = self._read = False
        self._write: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Load the stored counts once. A damaged file is set aside."""
        if self._path is None or self._read:
            return
        stored = await asyncio.to_thread(_load, self._path)
        self._read = True
        if stored is not None and stored[0] == self._this_month():
            self._month, requests, n_bytes, warned = stored
            self._requests += requests
            self._bytes += n_bytes
            self._warned |= warned

    def set_limits(self, *, monthly_requests: int, monthly_bytes: int) -> None:
        """Use another quota. The counts stay; a mark that is no longer reached can be due again."""
        self._limits = (monthly_requests, monthly_bytes)
        used = self.status().used
        self._warned = {mark for mark in self._warned if mark <= used}
        self._dirty = True

    def record(self, n_requests: int, n_bytes: int) -> None:
        """Count traffic through the tunnel."""
        month = self._this_month()
        if month != self._month:
            self._month, self._requests, self._bytes = month, 0, 0
            self._warned.clear()
        self._requests += n_requests
        self._bytes += n_bytes
        self._dirty = True

    def status(self) -> QuotaStatus:
        """Return this month's counts."""
        current = self._month == self._this_month()
        return QuotaStatus(
            month=self._this_month(),
            requests=self._requests if current else 0,
            bytes=self._bytes if current else 0,
            monthly_requests=self._limits[0],
            monthly_bytes=self._limits[1],
        )

    def due(self, marks: Sequence[float] = (0.7, 0.9)) -> float | None:
        """Return the share that was just exceeded, once per mark and month."""
        used = self.status().used
        passed = [mark for mark in marks if used >= mark and mark not in self._warned]
        if not passed:
            return None
        self._warned.update(passed)
        self._dirty = True
        return max(passed)

    async def flush(self) -> None:
        """Write changed counts durably. If the disk is full, only the counts are lost.

        A started write is always awaited, so that an older one cannot overwrite a newer.
        """
        if self._path is None:
            return
        while self._dirty or self._write is not None:
            if self._write is None:
                self._dirty = False
                self._write = asyncio.create_task(
                    asyncio.to_thread(_save, self._path, self._text())
                )
            write = self._write
            try:
                await asyncio.shield(write)
            except OSError as err:
                _LOGGER.warning("The tunnel quota cannot be kept in %s: %s", self._path, err)
                self._dirty = True
                return
            finally:
                if write.done() and self._write is write:
                    self._write = None

    def _text(self) -> str:
        return json.dumps(
            {
                "month": self._month,
                "requests": self._requests,
                "bytes": self._bytes,
                "told": sorted(self._warned),
            }
        )

    def _this_month(self) -> str:
        return self._clock.now().strftime("%Y-%m")


def _load(path: Path) -> tuple[str, int, int, set[float]] | None:
    try:
        stored = read_json(path)
        warned = {float(mark) for mark in stored["told"]}
        return str(stored["month"]), int(stored["requests"]), int(stored["bytes"]), warned
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as err:
        _LOGGER.warning("The tunnel quota in %s is not readable: %s", path, err)
        return None


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text)
