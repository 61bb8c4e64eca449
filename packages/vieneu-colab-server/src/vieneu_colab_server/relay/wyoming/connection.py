"""One connection of a Wyoming client: what it asks for, answered in order."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from wyoming.ping import Pong
from wyoming.tts import SynthesizeStopped

from vieneu_colab_server.disconnect import ClientGoneError
from vieneu_colab_server.relay.wyoming.answers import Answer, Answers
from vieneu_colab_server.relay.wyoming.describe import info_of
from vieneu_colab_server.relay.wyoming.events import EventError, EventReader, Incoming
from vieneu_colab_server.relay.wyoming.limits import WyomingLimits
from vieneu_colab_server.relay.wyoming.requests import check_whole, request_of, text_of
from vieneu_colab_server.relay.wyoming.sender import EventSender
from vieneu_colab_server.relay.wyoming.speech_events import send_speech
from vieneu_colab_server.relay.wyoming.speech_source import SpeechSource
from vieneu_colab_server.relay.wyoming.written_text import WrittenText, check_length
from vieneu_core.errors import BackendTimeoutError, InvalidRequestError, VieneuError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)
DESCRIBE_TIMEOUT_S = 4.0
"""Home Assistant waits 5 s for the description."""
LINGER_S = 2.0
"""How long a client may go on sending after it was refused: an abrupt end could lose the reason."""


@dataclass(frozen=True, slots=True)
class _Writing:
    """A text that a client is writing, and the answer to it."""

    text: WrittenText
    answer: Answer


class Connection:
    """Serves one client until it goes, or breaks the protocol."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        source: SpeechSource,
        limits: WyomingLimits,
    ) -> None:
        self._source = source
        self._limits = limits
        self._events = EventReader(
            reader, max_data_bytes=limits.max_event_bytes, timeout_s=limits.event_timeout_s
        )
        self._sender = EventSender(
            writer, timeout_s=limits.send_timeout_s, language=source.language
        )
        self._answers = Answers(self._sender.send_error, max_pending=limits.max_pending)
        self._writing: _Writing | None = None
        self.is_silent = False
        """Whether the client is served, and has not yet sent a whole event."""

    async def serve(self) -> None:
        """Serve the client, then close the connection."""
        self.is_silent = True
        answering = asyncio.create_task(self._answers.give())
        receiving = asyncio.create_task(self._receive())
        try:
            await asyncio.wait({answering, receiving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answering.cancel()
            receiving.cancel()
            ends = await asyncio.gather(answering, receiving, return_exceptions=True)
            _log_unexpected(ends)
            error = next((end for end in ends if isinstance(end, EventError)), None)
            await (self._sender.close() if error is None else self.refuse(error))

    async def refuse(self, error: VieneuError) -> None:
        """Send an error, and close the connection."""
        _LOGGER.info("A Wyoming client was refused: %s.", error.code)
        with suppress(ClientGoneError, OSError):
            await self._sender.send_error(error)
            self._sender.end()
            async with asyncio.timeout(LINGER_S):
                await self._events.drop_rest()
        await self._sender.close()

    def abort(self) -> None:
        """Close the connection at once, to make room for another client."""
        self.is_silent = False
        self._sender.abort()

    def drain(self) -> None:
        """Refuse new requests; close the connection once those that it has are answered."""
        self._answers.drain()

    def stop(self, error: VieneuError) -> None:
        """Answer everything that runs or waits with this error, and close the connection."""
        self._answers.stop(error)

    # --- events ---------------------------------------------------------------------------------

    async def _receive(self) -> None:
        """Take events until the client goes, or has been silent for too long."""
        while True:
            try:
                event = await self._events.read(self._quiet_s())
            except TimeoutError:
                if self._is_written():
                    self._give_up_text()
                elif self._answers.idle:
                    return
            else:
                if event is None:
                    return
                await self._take(event)
                await asyncio.sleep(0)  # a burst of events must not keep other clients waiting
                if self._piece_due_in_s() == 0.0:
                    self._give_up_text()

    def _is_written(self) -> bool:
        return self._writing is not None and not self._writing.answer.ended

    def _quiet_s(self) -> float:
        """Return how long the client may be silent: less once its text has begun to be spoken."""
        due_in_s = self._piece_due_in_s()
        return self._limits.idle_timeout_s if due_in_s is None else due_in_s

    def _piece_due_in_s(self) -> float | None:
        """Return how long the next piece of a text that is spoken may take; None if none is.

        Only pieces count: other events would keep the text open for ever.
        """
        if self._writing is None or not (self._is_written() and self._writing.text.has_begun):
            return None
        due_at_s = self._writing.text.added_at_s + self._limits.text_timeout_s
        return max(0.0, due_at_s - asyncio.get_running_loop().time())

    def _give_up_text(self) -> None:
        is_spoken, limits = self._piece_due_in_s() is not None, self._limits
        timeout_s = limits.text_timeout_s if is_spoken else limits.idle_timeout_s
        self._fail_writing(
            InvalidRequestError(
                Translatable("No more text arrived within {timeout_s:g} s.", timeout_s=timeout_s),
                remedy="Send synthesize-stop after the last piece of a text.",
            )
        )

    async def _take(self, event: Incoming) -> None:
        self.is_silent = False
        match event.type:
            case "describe":
                self._make_room()
                await self._answers.ask(self._describe)
            case "ping":
                await self._pong(event)
            case "synthesize":
                await self._whole(event)
            case "synthesize-start":
                await self._start(event)
            case "synthesize-chunk":
                await self._chunk(event)
            case "synthesize-stop":
                await self._stop()
            case _:  # servers drop what they do not know
                _LOGGER.debug("An event was dropped.")

    def _make_room(self) -> None:
        """Give up an open text behind which so much waits that no more of it would be read."""
        if self._answers.full and self._is_written():
            self._fail_writing(
                InvalidRequestError(
                    "Too many requests came before the end of a text.",
                    remedy="Send synthesize-stop after the last piece of a text.",
                )
            )

    async def _pong(self, event: Incoming) -> None:
        try:
            check_whole(event)
            text = None if event.data.get("text") is None else text_of(event.data)
        except InvalidRequestError as error:
            self._make_room()
            await self._answers.refuse(error)
        else:
            await self._sender.send(Pong(text=text).event())

    async def _whole(self, event: Incoming) -> None:
        if self._writing is not None:
            return  # the whole text once more, for servers that take no pieces
        try:
            request = request_of(self._text(event), event.data)
        except VieneuError as error:
            await self._answers.refuse(error)
        else:
            await self._answers.ask(functools.partial(self._speak, request))

    async def _start(self, event: Incoming) -> None:
        self._fail_writing(
            InvalidRequestError("A new synthesize-start came before synthesize-stop.")
        )
        text = WrittenText(self._limits.max_text_chars)
        try:
            check_whole(event)
            request = request_of(text.pieces(), event.data)
        except VieneuError as error:
            answer = await self._answers.refuse(error)
        else:
            answer = await self._answers.ask(functools.partial(self._speak, request, text))
        self._writing = _Writing(text, answer)

    async def _chunk(self, event: Incoming) -> None:
        writing = self._writing or await self._without_start()
        if writing.answer.ended:
            return
        try:
            writing.text.add(self._text(event))
        except VieneuError as error:
            writing.answer.fail(error)

    async def _stop(self) -> None:
        writing = self._writing or await self._without_start()
        writing.text.end()
        self._writing = None

    async def _without_start(self) -> _Writing:
        """Refuse a text whose begin is missing; the rest of it is dropped."""
        error = InvalidRequestError(
            "A piece of text came without synthesize-start.", remedy="Send synthesize-start first."
        )
        text = WrittenText(self._limits.max_text_chars)
        self._writing = _Writing(text, await self._answers.refuse(error))
        return self._writing

    def _fail_writing(self, error: VieneuError) -> None:
        if self._writing is not None:
            self._writing.answer.fail(error)

    def _text(self, event: Incoming) -> str:
        """Return the text of an event.

        Raises:
            InvalidRequestError: it has none.
            TextTooLongError: it is too long.
        """
        max_chars = self._limits.max_text_chars
        if event.too_long:
            check_length(self._limits.max_event_bytes, max_chars)
        text = text_of(event.data)
        check_length(len(text), max_chars)
        return text

    # --- answers --------------------------------------------------------------------------------

    async def _describe(self) -> None:
        try:
            async with asyncio.timeout(DESCRIBE_TIMEOUT_S):
                voices = await self._source.voices()
        except TimeoutError as error:
            raise BackendTimeoutError(
                Translatable(
                    "The voices were not listed within {timeout_s:g} s.",
                    timeout_s=DESCRIBE_TIMEOUT_S,
                )
            ) from error
        await self._sender.send(info_of(voices).event())

    async def _speak(self, request: SynthesisRequest, written: WrittenText | None = None) -> None:
        if written is not None:
            await written.begun()  # until then it would only keep others waiting
        await send_speech(self._source.speak(request), self._sender.send)
        if written is not None:
            await self._sender.send(SynthesizeStopped().event())


def _log_unexpected(ends: Sequence[BaseException | None]) -> None:
    expected = (EventError, ClientGoneError, asyncio.CancelledError)
    for end in ends:
        if end is not None and not isinstance(end, expected):
            _LOGGER.error("A Wyoming connection failed in an unexpected way.", exc_info=end)
