"""The machine's clock, whose calendar time can be set as an admin or NTP does."""

from __future__ import annotations

from datetime import datetime, timedelta

from vieneu_core.clock import SystemClock


class SetClock(SystemClock):
    """Real time, with a calendar that is wrong by an offset."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        """Return the calendar time that the machine is set to."""
        return super().now() + self.offset
