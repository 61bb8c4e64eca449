"""A text that is still being written keeps nobody waiting while its writer pauses."""

from __future__ import annotations

from fake_clock import FakeClock

from vieneu_colab_server.speech_demand import Demand
from vieneu_colab_server.speech_queue import SpeechQueue
from vieneu_core.audio.pcm import AudioChunk, Speaker

ANNOUNCEMENT = Demand(speech_s=3.0, first_s=3.0, within_s=4.0)
TWO_SECONDS = AudioChunk(
    bytes(2 * 2 * 24_000), 24_000, 0, Speaker(backend="local", engine="tone", voice="a")
)


async def test_an_announcement_begins_at_once_while_a_writer_pauses() -> None:
    clock = FakeClock()
    queue = SpeechQueue(max_waiting=8, max_running=4, retry_after_s=1.0, clock=clock)
    written = queue.enter(Demand())
    written.made(TWO_SECONDS)
    await clock.advance(60)
    announcement = queue.enter(ANNOUNCEMENT)
    assert announcement.called.is_set()
