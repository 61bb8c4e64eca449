"""A program: a Wyoming server that speaks tones, until its standard input ends.

It prints the address at which it listens. A text with the word ``refuse`` fails.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from vieneu_colab_server.relay.wyoming.queued_speech import QueuedSpeech
from vieneu_colab_server.relay.wyoming.server import WyomingServer
from vieneu_colab_server.speech_queue import SpeechQueue
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.errors import SynthesisFailedError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend


async def main() -> None:
    backend = ScriptedBackend()
    queue = SpeechQueue(max_waiting=8, max_running=1, retry_after_s=1.0)

    async def speak(request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        async with aclosing(backend.stream(request)) as chunks:
            async for chunk in chunks:
                if "refuse" in backend.record.begun[-1]:
                    raise SynthesisFailedError("No tone for this.")
                yield chunk

    async with backend:
        server = WyomingServer(
            "tcp://127.0.0.1:0", QueuedSpeech(speak, queue), backend.voices, language="vi"
        )
        await server.start()
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
