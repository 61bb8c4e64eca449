"""Bounded queue of requests in front of a backend; a full queue refuses requests.

Several requests are spoken at once, as far as the backend can make their speech in time: it lets
their sentences take turns. A request that would make the others late waits, the shorter ones
first. One that would get its first audio too late is refused at once. One that only waits for its
client, to write more text or to take its audio, keeps nobody waiting: it gives up its place.
"""

from __future__ import annotations

import asyncio

from vieneu_colab_server.speaking_rate import SpeakingRate
from vieneu_colab_server.speech_demand import Demand
from vieneu_core.audio.listener import Listener
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import BackendBusyError
from vieneu_core.translatable import Translatable

_FIRST_AUDIO_S = 5.0
"""Seconds that a client waits for its first audio if it says nothing; also for its next text."""
_LATE_S = 3.0
"""Seconds of speech that may be late in all: an announcement does not wait for a reading to end."""
_MAX_HANDICAP_S = 30.0


class SpeechQueue:
    """A bounded queue in front of a backend.

    Args:
        max_waiting: Number of requests that may wait.
        max_running: Number of requests that may be spoken at once.
        retry_after_s: Seconds after which a refused client may try again.
        paces: Whether the requests share one engine, and wait where it could not make all speech in
            time. Where not, the backend has a queue of its own.
        clock: Clock that the speaking rate is measured with.
    """

    def __init__(
        self,
        *,
        max_waiting: int,
        max_running: int,
        retry_after_s: float,
        paces: bool = True,
        clock: Clock | None = None,
    ) -> None:
        self._paces = paces
        self._max_running = max_running
        self._max_depth = max_waiting + max_running
        self._retry_after_s = retry_after_s
        self._clock = SystemClock() if clock is None else clock
        self._rate = SpeakingRate(self._clock)
        self._running: list[Ticket] = []
        self._waiting: list[Ticket] = []
        self._paused: list[Ticket] = []

    @property
    def depth(self) -> int:
        """Requests waiting or running, also those that wait for their clients."""
        return len(self._running) + len(self._waiting) + len(self._paused)

    def enter(self, demand: Demand | None = None) -> Ticket:
        """Enter the queue; the caller must call `Ticket.leave`.

        Raises:
            BackendBusyError: the queue is full, or the wait would be too long.
        """
        if len(self._running) + len(self._waiting) >= self._max_depth:
            raise self.busy("The queue is full")
        ticket = Ticket(self, Demand() if demand is None else demand, self._clock.monotonic())
        within_s = ticket.demand.within_s
        if within_s is not None and self._expected_wait_s(ticket) > within_s:
            raise self.busy("The turn of this request would not come in time")
        self._waiting.append(ticket)
        self._start()
        return ticket

    def busy(self, reason: str) -> BackendBusyError:
        """Return the error for a request that is refused, or that waits too long."""
        return BackendBusyError(
            Translatable(
                "{reason}: {depth} requests are waiting or being spoken.",
                reason=reason,
                depth=self.depth,
            ),
            retry_after_s=self._retry_after_s,
        )

    def made(self, ticket: Ticket, chunk: AudioChunk) -> None:
        """Record audio of a ticket."""
        ticket.made_s += chunk.seconds
        ticket.listener.receive(chunk.seconds, self._clock.monotonic())
        if not (chunk.speaker.cached or chunk.speaker.fallback):
            self._rate.made(chunk.seconds)
        self._start()

    def pause(self, ticket: Ticket) -> None:
        """Let others run in place of a ticket. Without effect if it does not run."""
        if ticket in self._running:
            self._stop(ticket)
            self._paused.append(ticket)
            self._start()

    def resume(self, ticket: Ticket) -> None:
        """Let a ticket run again, at once; without effect if it has not paused.

        Its speech has begun, and must not halt for those that came later. So more than
        ``max_running`` may run for a while; no further one begins meanwhile.
        """
        if ticket in self._paused:
            self._paused.remove(ticket)
            ticket.listener.receive(0.0, self._clock.monotonic())  # the engine has not made it late
            self._run(ticket)

    def give_back(self, ticket: Ticket) -> None:
        """Remove a ticket, and let others run."""
        if ticket in self._running:
            self._stop(ticket)
        else:
            (self._waiting if ticket in self._waiting else self._paused).remove(ticket)
        self._start()

    def _run(self, ticket: Ticket) -> None:
        self._running.append(ticket)
        if ticket.demand.speech_s is not None:  # else it also waits for its text
            self._rate.begin()

    def _stop(self, ticket: Ticket) -> None:
        self._running.remove(ticket)
        if ticket.demand.speech_s is not None:
            self._rate.end()

    def _start(self) -> None:
        """Let the tickets run that may."""
        if not self._waiting:
            return
        for ticket in sorted(self._waiting, key=_order):
            if self._may_run(ticket):
                self._waiting.remove(ticket)
                self._run(ticket)
                ticket.called.set()

    def _may_run(self, ticket: Ticket) -> bool:
        """Return whether a ticket may run beside the running ones, without making them late."""
        if len(self._running) >= self._max_running:
            return False
        return not (self._running and self._paces) or self._in_time(ticket)

    def _in_time(self, ticket: Ticket) -> bool:
        """Return whether all speech could be made before it is played, this ticket's included."""
        now, rate = self._clock.monotonic(), self._rate.value or 1.0
        needs = [(one.ahead_s(now), one.remaining_s) for one in self._running]
        within_s = _FIRST_AUDIO_S if ticket.demand.within_s is None else ticket.demand.within_s
        needs.append((within_s, ticket.remaining_s))
        for until_s in (ahead_s + speech_s for ahead_s, speech_s in needs):
            needed_s = sum(
                min(speech_s, max(0.0, until_s - ahead_s)) for ahead_s, speech_s in needs
            )
            if needed_s > max(0.0, until_s) * rate + _LATE_S:
                return False
        return True

    def _expected_wait_s(self, ticket: Ticket) -> float:
        """Return the estimated seconds until this ticket's first sentence is begun."""
        rate = self._rate.value
        if rate is None or not self._running or not self._paces:
            return 0.0
        before_s = sum(one.next_s for one in self._running if not one.made_s)
        # One sentence of those that have audio may be spoken now: half of it is left.
        before_s += max((one.next_s for one in self._running if one.made_s), default=0.0) / 2
        if not self._may_run(ticket):
            # All that run advance side by side until the first of them has ended.
            soonest_s = min(one.remaining_s for one in self._running)
            before_s = max(before_s, soonest_s * len(self._running))
            before_s += sum(
                one.remaining_s for one in self._waiting if _order(one) < _order(ticket)
            )
        return before_s / rate


class Ticket:
    """Position in a `SpeechQueue`.

    Args:
        queue: The queue.
        demand: What the request asks for.
        entered_at_s: Time of the clock.
    """

    def __init__(self, queue: SpeechQueue, demand: Demand, entered_at_s: float) -> None:
        self.demand = demand
        self.entered_at_s = entered_at_s
        self.listener = Listener(entered_at_s)
        self.made_s = 0.0
        """Audio made so far, in seconds."""
        self.called = asyncio.Event()
        self._queue = queue
        self._left = False

    @property
    def remaining_s(self) -> float:
        """Estimated speech that is still to be made, in seconds."""
        if self.demand.speech_s is None:
            return _FIRST_AUDIO_S
        return max(0.0, self.demand.speech_s - self.made_s)

    @property
    def next_s(self) -> float:
        """Estimated speech of its next sentence, in seconds."""
        return min(self.demand.first_s, self.remaining_s)

    def ahead_s(self, now_s: float) -> float:
        """Return the seconds of audio that the client has left; below 0 where it is late.

        One whose text is still being written may wait for its writer: it is never late.
        """
        ahead_s = self.listener.runs_out_at_s - now_s
        return max(0.0, ahead_s) if self.demand.speech_s is None else ahead_s

    async def turn(self) -> None:
        """Wait for this ticket's turn."""
        await self.called.wait()

    def made(self, chunk: AudioChunk) -> None:
        """Record audio of this ticket."""
        self._queue.made(self, chunk)

    def pause(self) -> None:
        """Give up the place while the client is waited for. Without effect if it has paused."""
        self._queue.pause(self)

    def resume(self) -> None:
        """Take the place back, at once. Without effect if it has not paused."""
        self._queue.resume(self)

    def leave(self) -> None:
        """Leave the queue. Without effect if it has left."""
        if not self._left:
            self._left = True
            self._queue.give_back(self)


def _order(ticket: Ticket) -> float:
    """Return what the queue is sorted by: the shorter first, but none is passed for ever."""
    speech_s = ticket.demand.speech_s
    return ticket.entered_at_s + min(0.0 if speech_s is None else speech_s, _MAX_HANDICAP_S)
