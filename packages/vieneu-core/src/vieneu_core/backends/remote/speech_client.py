"""Speech from the server, retried as long as none of it has been received."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.remote.connection import Call, Connection
from vieneu_core.backends.remote.request_plan import PlannedRequest
from vieneu_core.backends.remote.response import Response
from vieneu_core.backends.remote.retry import RetryPolicy
from vieneu_core.backends.remote.stream_reader import Codec, SpeechReader
from vieneu_core.backends.remote.timeouts import Deadlines, RemoteTimeouts
from vieneu_core.errors import (
    BackendError,
    BackendTimeoutError,
    BadResponseError,
    StreamInterruptedError,
)
from vieneu_core.translatable import Translatable
from vieneu_core.wire import routes


class SpeechClient:
    """Requests speech over a connection.

    Args:
        connection: Connection to the server.
        timeouts: Time limits; all attempts of one request share them.
        codec: Encoding of the audio.
        retries: When and how often a request is retried.
        rng: Source of the jitter between attempts.
        backend: Name of the backend, for the audio and for errors.
        require_loaded: Raises if the backend is not loaded.
    """

    def __init__(  # noqa: PLR0913 - what the whole backend was given, each once
        self,
        connection: Connection,
        *,
        timeouts: RemoteTimeouts,
        codec: Codec,
        retries: RetryPolicy,
        rng: random.Random,
        backend: str,
        require_loaded: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._timeouts = timeouts
        self._codec = codec
        self._retries = retries
        self._rng = rng
        self._backend = backend
        self._require_loaded = require_loaded

    async def speak(self, planned: PlannedRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak one request; retry as long as none of its audio has arrived.

        Raises:
            RequestError: the server rejects the request as invalid.
            BackendError: the server or the connection failed.
        """
        deadlines = self._connection.deadlines(self._timeouts)
        n_tried, heard = 0, False
        while True:
            n_tried += 1
            self._require_loaded()  # it may have been unloaded during the pause
            try:
                async with aclosing(self._attempt(planned, deadlines)) as chunks:
                    async for chunk in chunks:
                        heard = True
                        yield chunk
            except BackendError as err:
                wait_s = self._retries.wait_s(
                    err,
                    n_tried,
                    self._rng,
                    waited_s=deadlines.waited_s,
                    remaining_s=deadlines.remaining_s,
                )
                if heard or wait_s is None:
                    raise
            else:
                return
            await deadlines.pause(wait_s)

    async def _attempt(
        self, planned: PlannedRequest, deadlines: Deadlines
    ) -> AsyncGenerator[AudioChunk, None]:
        accept = self._codec.media_type
        call = Call("POST", routes.STREAM, accept, planned.body)
        reader = SpeechReader(planned, self._codec, backend=self._backend)
        async with self._connection.exchange(call, deadlines, expect=accept) as answer:
            deadlines.answered()
            while data := await answer.read():
                async with aclosing(reader.feed(data)) as chunks:
                    async for chunk in chunks:
                        deadlines.heard(chunk.seconds)
                        yield chunk
                if reader.ended:
                    await _let_end(answer)
                    return
            raise StreamInterruptedError(
                Translatable(
                    "The audio of {host} broke off before its end mark.", host=self._connection.host
                )
            )


async def _let_end(answer: Response) -> None:
    """Read the rest after the END frame, so that the connection can be reused.

    All audio has been received and checked by then, so a failure here is ignored.
    """
    try:
        trailing = await answer.read()
    except (StreamInterruptedError, BackendTimeoutError):
        return
    if trailing:
        raise BadResponseError("The audio stream goes on after its end mark.")
