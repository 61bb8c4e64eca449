"""Events of the router as server-sent events (HTML standard, 9.2)."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

from vieneu_core.clock import Clock
from vieneu_core.i18n import error_text, translated
from vieneu_core.router import ErrorReport, Router, RouterEvent

KEPT_EVENTS = 200
CHECK_EVERY_S = 1.0
"""Between two checks whether the service is stopping."""
KEEP_ALIVE_S = 15.0
"""A comment is sent after so long without an event: proxies close what is silent."""

_MAX_DIGITS = 18


class EventHistory:
    """The last events of a router, with ids; pages that open later see them too.

    An id is ``START-NUMBER``. ``START`` differs with each start of the service, which counts anew.

    Args:
        router: Publishes them.
        clock: Time.
        is_stopping: Whether the service is stopping; then all streams end.
    """

    def __init__(self, router: Router, *, clock: Clock, is_stopping: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_stopping = is_stopping
        self._start = secrets.token_hex(4)
        self._events: deque[tuple[int, str, RouterEvent]] = deque(maxlen=KEPT_EVENTS)
        self._n_events = 0
        self._arrived = asyncio.Event()
        self._unsubscribe = router.subscribe(self._keep)

    def close(self) -> None:
        """Keep no further events."""
        self._unsubscribe()

    def since(self, last_id: str, language: str) -> list[tuple[str, dict[str, Any]]]:
        """Return ids and JSON values of the events after an id, in a language.

        After an id that was not given since the start of the service: all that are kept.
        """
        number = self._number_of(last_id)
        return [
            (f"{self._start}-{n}", {"time": time, **event_json(event, language)})
            for n, time, event in self._events
            if n > number
        ]

    async def stream(
        self, last_id: str, language: str, *, may_go_on: Callable[[], bool]
    ) -> AsyncGenerator[bytes, None]:
        """Yield the events after an id, as `since` has them, and each new one, while it may."""
        yield b"retry: 2000\n\n"
        silent_s = 0.0
        while not self._is_stopping() and may_go_on():
            arrived = self._arrived
            for event_id, event in self.since(last_id, language):
                data = json.dumps(event, ensure_ascii=False)
                yield f"id: {event_id}\nevent: {event['event']}\ndata: {data}\n\n".encode()
                last_id, silent_s = event_id, 0.0
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_EVERY_S):
                    await arrived.wait()
            silent_s += CHECK_EVERY_S
            if silent_s >= KEEP_ALIVE_S:
                yield b": keep-alive\n\n"
                silent_s = 0.0

    def _number_of(self, event_id: str) -> int:
        """Return the number in an id; 0 where it is not of this start."""
        start, _, number = event_id.partition("-")
        is_known = start == self._start and number.isdecimal() and len(number) <= _MAX_DIGITS
        return int(number) if is_known else 0

    def _keep(self, event: RouterEvent) -> None:
        self._n_events += 1
        self._events.append((self._n_events, self._clock.now().isoformat(), event))
        self._arrived.set()
        self._arrived = asyncio.Event()


def event_json(event: RouterEvent, language: str) -> dict[str, Any]:
    """Return an event as JSON values; the texts of errors are in the language."""
    values = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return {
        "event": type(event).__name__,
        **{name: _json(value, language) for name, value in values.items()},
    }


def report_json(report: ErrorReport, language: str) -> dict[str, str]:
    """Return an error as JSON values, in a language."""
    texts = error_text(report.code, report.remedy, language)
    return {
        "code": report.code,
        "title": texts.title if texts else report.title,
        "detail": translated(report.detail, language),
        "remedy": texts.remedy if texts else translated(report.remedy, language),
    }


def _json(value: Any, language: str) -> Any:
    if isinstance(value, ErrorReport):
        return report_json(value, language)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value
