"""A Wyoming server of the real package that speaks tones, in this process or as a program.

As a program it prints its URL, and serves until its standard input ends. Words in a text make it
fail in a given way; `FAULTS` names them.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from guard import GUARD_S
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.server import AsyncEventHandler
from wyoming.tts import Synthesize

from vieneu_core.testing.tone import in_chunks, sentence_tone

RATE_HZ = 22_050
VOICES = {
    "vi_VN-vais1000-medium": ["vi_VN"],
    "vi_VN-vivos-x_low": ["vi_VN"],
    "en_US-lessac-medium": ["en_US"],
    "de_DE-thorsten-medium": ["de_DE"],
}
FAULTS = {
    "hangs": "never answers",
    "stalls": "sends half of the audio, then nothing",
    "chatters": "sends events without audio, for ever",
    "drops": "closes the connection in the middle",
    "dies": "ends its process in the middle",
    "garbage": "answers as a web server",
    "nolength": "states a negative length",
    "longheader": "sends a header without end",
    "longdata": "states a gigabyte of data",
    "longpayload": "states a gigabyte of payload",
    "eightbit": "speaks with 8 bits",
    "norate": "speaks at 0 Hz",
    "manychannels": "speaks with 99 channels",
    "changes": "changes the rate within a sentence",
    "endless": "speaks for ever",
    "silent": "speaks silence",
    "short": "speaks 20 ms",
    "nothing": "speaks no samples",
    "half": "ends within a sample",
    "refuse": "answers with an error",
    "unsayable": "answers that it has no sounds for it",
}

CHANNELS = {
    "opposite": (1.0, -1.0),
    "inverted": (-1.0, 1.0),
    "nearly": (0.8, -0.85),
    "surround": (1.0, -1.0, 0.0),
    "leftonly": (1.0, 0.0),
    "alike": (1.0, 1.0),
}
"""Words that make it speak on several channels, each with this factor."""


@dataclass
class Spoken:
    """What the server was asked for."""

    texts: list[str] = field(default_factory=list)
    voices: list[str | None] = field(default_factory=list)
    n_open: int = 0
    """Connections that are open."""


class _Handler(AsyncEventHandler):
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, spoken: Spoken, info: Info
    ) -> None:
        super().__init__(reader, writer)
        self._spoken = spoken
        self._info = info

    async def run(self) -> None:
        self._spoken.n_open += 1
        try:
            await super().run()
        except ConnectionError:
            pass  # the client has gone
        finally:
            self._spoken.n_open -= 1

    async def handle_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            await self.write_event(self._info.event())
        elif Synthesize.is_type(event.type):
            wanted = Synthesize.from_event(event)
            self._spoken.texts.append(wanted.text)
            self._spoken.voices.append(wanted.voice.name if wanted.voice else None)
            return await self._speak(wanted.text)
        return True

    async def _speak(self, text: str) -> bool:
        word = next((word for word in (*FAULTS, *CHANNELS) if word in text), None)
        if (raw := _RAW.get(word or "")) is not None:
            self.writer.write(raw)
            await self.writer.drain()
            return False
        match word:
            case "hangs":
                await self.reader.read()  # until the client goes
            case "chatters":
                while True:
                    await self.write_event(Event("played"))
                    await asyncio.sleep(0.01)
            case "refuse" | "unsayable":
                code = "unpronounceable" if word == "unsayable" else "tts-failed"
                await self.write_event(Error(text="No voice for this.", code=code).event())
                return True
        return await self._audio(word, sentence_tone(text).pcm(RATE_HZ))

    async def _audio(self, word: str | None, pcm: bytes) -> bool:
        form = {"rate": RATE_HZ, "width": 2, "channels": 1, **_FORMS.get(word or "", {})}
        if word in _SAMPLES:
            pcm = _SAMPLES[word](pcm)
        pieces = list(in_chunks(pcm, RATE_HZ))
        if (factors := CHANNELS.get(word or "")) is not None:
            form["channels"] = len(factors)
            pieces = [_on_channels(piece, factors) for piece in pieces]
        await self.write_event(AudioStart(**form).event())
        for number, piece in enumerate(pieces):
            if number == len(pieces) // 2:
                match word:
                    case "drops":
                        return False
                    case "dies":
                        os._exit(9)
                    case "stalls":
                        await self.reader.read()  # until the client goes
                    case "changes":
                        form["rate"] = 16_000
            await self.write_event(AudioChunk(audio=piece, **form).event())
        while word == "endless":
            await self.write_event(AudioChunk(audio=pcm, **form).event())
        await self.write_event(AudioStop().event())
        return True


_FORMS: dict[str, dict[str, int]] = {
    "eightbit": {"width": 1},
    "norate": {"rate": 0},
    "manychannels": {"channels": 99},
}


def _on_channels(pcm: bytes, factors: tuple[float, ...]) -> bytes:
    mono = np.frombuffer(pcm, "<i2")
    each = [(mono * factor).astype("<i2") for factor in factors]
    return np.stack(each, axis=1).tobytes()


_SAMPLES: dict[str, Callable[[bytes], bytes]] = {
    "silent": lambda pcm: bytes(len(pcm)),
    "short": lambda pcm: pcm[: round(0.02 * RATE_HZ) * 2],
    "nothing": lambda _: b"",
    "half": lambda pcm: pcm + b"\1",
}
_RAW = {
    "garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "nolength": b'{"type": "audio-start", "data_length": -1}\n',
    "longheader": b'{"type": "' + b"x" * (3 << 20),
    "longdata": b'{"type": "audio-start", "data_length": 1000000000}\n',
    "longpayload": b'{"type": "audio-chunk", "payload_length": 1000000000}\n',
}


def info_of(voices: dict[str, list[str]], *, version: str = "1.6.3") -> Info:
    """Return a description as the Piper app gives it."""
    by = Attribution(name="rhasspy", url="https://github.com/rhasspy/piper")
    return Info(
        tts=[
            TtsProgram(
                name="piper",
                description="A fast, local, neural text to speech engine",
                attribution=by,
                installed=True,
                version=version,
                voices=[
                    TtsVoice(
                        name=name,
                        description=f"{name} (description)",
                        attribution=by,
                        installed=True,
                        version=None,
                        languages=languages,
                    )
                    for name, languages in voices.items()
                ],
            )
        ]
    )


@dataclass
class VoiceSite:
    """A running server in this process."""

    url: str
    spoken: Spoken
    info: Info


@asynccontextmanager
async def wyoming_voice(
    *, voices: dict[str, list[str]] | None = None, port: int = 0
) -> AsyncIterator[VoiceSite]:
    """Serve in this process."""
    spoken, info = Spoken(), info_of(VOICES if voices is None else voices)
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        await _Handler(reader, writer, spoken, site.info).run()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    site = VoiceSite(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", spoken, info)
    try:
        yield site
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@contextmanager
def wyoming_program(port: int = 0) -> Iterator[tuple[str, Callable[[], None]]]:
    """Serve in another process; yield its URL, and a function that kills it."""
    import subprocess

    command = [sys.executable, str(Path(__file__)), str(port)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environ()
    )

    def kill() -> None:
        process.kill()
        process.wait(GUARD_S)

    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), kill
    finally:
        kill()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def _environ() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


async def main(port: int) -> None:
    async with wyoming_voice(port=port) as site:
        sys.stdout.write(f"{site.url}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
