"""A plain HTTP client of a server: it takes a WAV file as it comes, and knows no frames."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import aiohttp

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.errors import BackendError, StreamInterruptedError
from vieneu_core.testing.tone import sentence_tone
from vieneu_core.text.sentence_splitter import split_sentences

HEADER_BYTES = 44
"""Length of a WAV file's header that has nothing but the format and the samples."""
_SPEAKER = Speaker(backend="remote", engine="", voice="")


async def plain_speech(url: str, token: str, text: str) -> AsyncGenerator[AudioChunk, None]:
    """Yield the samples as they come; the chunk that completes the first sentence is final.

    Raises:
        BackendError: the server refused the request.
        StreamInterruptedError: the body broke off.
    """
    headers = {"Authorization": f"Bearer {token}", "Accept": "audio/wav"}
    async with (
        aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout()) as session,
        session.post(f"{url}/tts/stream", json={"text": text}) as answer,
    ):
        if answer.status != 200:
            raise BackendError(await answer.text())
        try:
            header = await answer.content.readexactly(HEADER_BYTES)
            rate_hz = int.from_bytes(header[24:28], "little")
            left = len(sentence_tone(split_sentences(text)[0]).pcm(rate_hz))
            rest = b""
            async for part in answer.content.iter_any():
                data = rest + part
                n_whole = len(data) // 2 * 2
                whole, rest = data[:n_whole], data[n_whole:]
                completes = 0 < left <= n_whole
                left -= n_whole
                yield AudioChunk(whole, rate_hz, 0, _SPEAKER, final=completes)
        except (aiohttp.ClientPayloadError, EOFError) as error:
            raise StreamInterruptedError("The body broke off.") from error
