"""Destinations of speech: a file, standard output, the loudspeaker."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from pathlib import Path

from vieneu_core.audio.encode import AudioFormat, encode_stream, format_of
from vieneu_core.audio.file import write_file
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.cli.playback import Playback
from vieneu_core.cli.player_detection import installed_players
from vieneu_core.cli.stdio import STANDARD, require_stdout, write_out
from vieneu_core.errors import InvalidRequestError


class FileSink:
    """Writes speech to a file atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._format = format_of(path)

    async def __call__(self, chunks: AsyncGenerator[AudioChunk, None]) -> None:
        """Write the stream.

        Raises: as `write_file`.
        """
        async with aclosing(chunks):
            await write_file(chunks, self._path, self._format)


class PipeSink:
    """Writes speech to standard output as WAV."""

    def __init__(self) -> None:
        require_stdout()
        if sys.stdout.isatty():
            raise InvalidRequestError(
                "The terminal cannot show audio.", remedy="Send it on: vieneu say -o - TEXT | …"
            )

    async def __call__(self, chunks: AsyncGenerator[AudioChunk, None]) -> None:
        """Write the stream.

        Raises: as `write_out`.
        """
        async with aclosing(encode_stream(chunks, AudioFormat.WAV)) as blocks:
            await write_out(blocks)


class LoudspeakerSink:
    """Plays speech while it is being synthesized."""

    def __init__(self) -> None:
        self._players = installed_players()

    async def __call__(self, chunks: AsyncIterable[AudioChunk]) -> None:
        """Play the stream to its end.

        Raises:
            PlayerError: no player can play.
        """
        playback: Playback | None = None
        try:
            async for chunk in chunks:
                if playback is None:
                    playback = Playback(self._players, chunk.sample_rate_hz)
                if chunk.pcm:
                    await playback.play(chunk.pcm)
            if playback is not None:
                await playback.finish()
        finally:
            if playback is not None:
                await playback.stop()


def sink_for(output: str | None) -> FileSink | PipeSink | LoudspeakerSink:
    """Return the sink: a file, standard output (``-``), or the loudspeaker (None).

    Raises:
        RequestError: the file or standard output cannot be written.
        PlayerError: no player is installed.
    """
    if output is None:
        return LoudspeakerSink()
    if output == STANDARD:
        return PipeSink()
    if not output:
        raise InvalidRequestError("The name of the output file is empty.")
    return FileSink(Path(output))
