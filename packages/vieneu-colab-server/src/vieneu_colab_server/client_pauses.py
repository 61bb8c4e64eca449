"""Pauses of a request that is being spoken, while it waits for its client.

The client may still write the text, or take its audio more slowly than it is made. The engine has
nothing to do for it meanwhile: others may speak, and the deadline stands still. How long a client
may keep it waiting is for what serves this client: a text that does not go on, or audio that is not
taken, ends the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from vieneu_colab_server.speaking_deadline import SpeakingDeadline
from vieneu_colab_server.speech_queue import Ticket
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.synthesis import SynthesisRequest


class ClientPauses:
    """Pauses the ticket and the deadline of a request while only its client is waited for.

    Args:
        ticket: Of the request, whose turn has come.
        deadline: Of its synthesis.
    """

    def __init__(self, ticket: Ticket, deadline: SpeakingDeadline) -> None:
        self._ticket = ticket
        self._deadline = deadline
        self._awaits_text = False
        self._awaits_reader = False
        self._within_sentence = False

    def watched(self, request: SynthesisRequest) -> SynthesisRequest:
        """Return the request with its text observed, where that is still being written."""
        if isinstance(request.text, str | tuple):
            return request
        return replace(request, text=self._pieces(request.text))

    def heard(self, chunk: AudioChunk) -> None:
        """Record what was made."""
        self._within_sentence = True
        self._update()
        self._deadline.heard(chunk)
        if not chunk.waiting:
            self._ticket.made(chunk)
        if chunk.final:
            self._within_sentence = False
            self._update()

    @contextmanager
    def awaiting_reader(self) -> Iterator[None]:
        """Wait inside until the client has taken some of its audio."""
        self._awaits_reader = True
        self._update()
        try:
            yield
        finally:
            self._awaits_reader = False
            self._update()

    @contextmanager
    def _awaiting_text(self) -> Iterator[None]:
        # Later: a piece that has come already is taken before, and lets nobody else begin.
        pausing = asyncio.get_running_loop().call_soon(self._text_is_awaited)
        try:
            yield
        finally:
            pausing.cancel()
            self._awaits_text = False
            self._update()

    def _text_is_awaited(self) -> None:
        self._awaits_text = True
        self._update()

    async def _pieces(self, text: AsyncIterable[str]) -> AsyncGenerator[str, None]:
        pieces = aiter(text)
        try:
            while True:
                with self._awaiting_text():
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                yield piece
        finally:
            if isinstance(text, AsyncGenerator):
                await text.aclose()

    def _update(self) -> None:
        # A text is read ahead: within a sentence the engine works while more text is awaited. Where
        # a whole sentence has come but none of its audio, this pauses for that moment too: nobody
        # but the backend knows whether a text that halts is a sentence already.
        if self._awaits_reader or (self._awaits_text and not self._within_sentence):
            self._ticket.pause()
            self._deadline.pause()
        else:
            self._ticket.resume()
            self._deadline.resume()
