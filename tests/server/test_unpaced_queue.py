"""A queue in front of a backend that has one of its own, as replicas have."""

from __future__ import annotations

import pytest
from fake_clock import FakeClock

from vieneu_colab_server.speech_demand import Demand
from vieneu_colab_server.speech_queue import SpeechQueue
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.errors import BackendBusyError

SPEAKER = Speaker(backend="local", engine="tone", voice="a")


async def test_a_backend_with_a_queue_of_its_own_gets_all_requests_at_once() -> None:
    """One engine at half of real time would keep the second one waiting, and refuse the third."""
    for paces, n_called in ((True, 1), (False, 3)):
        clock = FakeClock()
        queue = SpeechQueue(
            max_waiting=0, max_running=3, retry_after_s=2.0, paces=paces, clock=clock
        )
        tickets = [queue.enter(Demand(speech_s=60.0, first_s=5.0))]
        await clock.advance(10)
        tickets[0].made(AudioChunk(bytes(2 * 24_000 * 5), 24_000, 0, SPEAKER))
        tickets.append(queue.enter(Demand(speech_s=60.0, first_s=5.0)))
        if paces:
            with pytest.raises(BackendBusyError):
                queue.enter(Demand(speech_s=60.0, first_s=5.0, within_s=1.0))
        else:
            tickets.append(queue.enter(Demand(speech_s=60.0, first_s=5.0, within_s=1.0)))
        assert sum(ticket.called.is_set() for ticket in tickets) == n_called
