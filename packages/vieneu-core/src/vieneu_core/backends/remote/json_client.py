"""JSON requests to the server: health, voices, token rotation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from vieneu_core.backends.remote.connection import Call, Connection
from vieneu_core.backends.remote.timeouts import RemoteTimeouts
from vieneu_core.errors import BadResponseError, RequestError
from vieneu_core.translatable import Translatable
from vieneu_core.wire import routes
from vieneu_core.wire.schemas import NewToken

MAX_JSON_BYTES = 1 << 20
"""Largest response that is read."""

_Body = TypeVar("_Body", bound=BaseModel)


class JsonClient:
    """Sends one request at a time.

    Args:
        connection: Connection to the server.
        timeouts: Time limits.
        backend: Name of the backend, for errors.
        check_use: Called before each request; raises if the backend cannot be used here.
    """

    def __init__(
        self,
        connection: Connection,
        timeouts: RemoteTimeouts,
        *,
        backend: str,
        check_use: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._timeouts = timeouts
        self._backend = backend
        self._check_use = check_use

    async def new_token(self) -> SecretStr:
        """Let the server generate a new token for speech, and return it.

        Raises:
            BackendError: the server refused or failed.
        """
        return SecretStr((await self.ask("POST", routes.ROTATE_TOKEN, NewToken)).token)

    async def ask(self, method: str, path: str, model: type[_Body], body: bytes = b"") -> _Body:
        """Send a request, and return its validated response.

        Raises:
            BackendError: there is no response, or no valid one.
        """
        self._check_use()
        call = Call(method, path, "application/json", body)
        limits = self._timeouts
        if not body:  # an upload of a voice may take as long as speech
            brief_s = min(limits.total_s, limits.connect_s + limits.first_byte_s)
            limits = replace(limits, total_s=brief_s)
        deadlines = self._connection.deadlines(limits)
        try:
            async with self._connection.exchange(call, deadlines, expect=call.accept) as answer:
                body = await answer.read_up_to(MAX_JSON_BYTES)
        except RequestError as err:  # not the fault of any caller
            raise BadResponseError(
                Translatable(
                    "{host}{path} refused a request: {detail}",
                    host=self._connection.host,
                    path=path,
                    detail=err.detail,
                ),
                backend=self._backend,
            ) from err
        try:
            return model.model_validate_json(body)
        except ValidationError as err:
            raise BadResponseError(
                Translatable(
                    "The response of {host}{path} cannot be read.",
                    host=self._connection.host,
                    path=path,
                ),
                backend=self._backend,
            ) from err
