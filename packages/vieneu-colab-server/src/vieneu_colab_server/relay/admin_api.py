"""Admin API of the relay: what the router does, and the admin's choices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from starlette.responses import StreamingResponse

from vieneu_colab_server import __version__
from vieneu_colab_server.relay.administration import Administration
from vieneu_colab_server.relay.event_stream import EventHistory, report_json
from vieneu_colab_server.relay.guard import ADMIN_API, login_holds
from vieneu_colab_server.relay.voices_version import voices_version
from vieneu_core.backends.base import Health
from vieneu_core.credentials import MAX_TOKEN_CHARS, MAX_URL_CHARS
from vieneu_core.errors import ConfigurationError, InvalidRequestError, SettingsFileError
from vieneu_core.i18n import best_language
from vieneu_core.router import ErrorReport, Mode


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ModeBody(_Body):
    """Body of ``POST /mode``."""

    mode: Mode


class ConnectBody(_Body):
    """Body of ``POST /connect`` and ``POST /connect/test``."""

    url: str = Field(min_length=1, max_length=MAX_URL_CHARS)
    token: SecretStr | None = Field(default=None, max_length=MAX_TOKEN_CHARS)
    """Without one the token of the settings is used."""


class BackendAnswer(BaseModel):
    """Answer about one backend."""

    backend: str
    state: str
    engine: str | None = None
    model: str | None = None
    latency_ms: float | None = None


class TestAnswer(BaseModel):
    """Answer of ``POST /backends/{name}/test``."""

    backend: str
    engine: str
    voice: str
    seconds: float


def admin_routes(administration: Administration, events: EventHistory) -> APIRouter:
    """Return the routes of the admin API."""
    api = APIRouter(tags=["relay"], prefix=ADMIN_API)
    _add_status(api, administration, events)
    _add_choices(api, administration)
    _add_backends(api, administration)
    return api


def _add_status(api: APIRouter, administration: Administration, events: EventHistory) -> None:
    @api.get("/status")
    async def status(accept_language: Annotated[str, Header()] = "") -> dict[str, Any]:
        """State the mode, all backends, the settings without secrets, and what is wrong."""
        values = status_json(administration, best_language(accept_language))
        version = await voices_version(administration.router, administration.voices)
        return {**values, "voices_version": version}

    @api.get("/events")
    async def event_stream(
        request: Request,
        accept_language: Annotated[str, Header()] = "",
        last_event_id: Annotated[str, Header()] = "",
    ) -> StreamingResponse:
        """Send the last events, and each new one, as server-sent events.

        After an unknown `Last-Event-ID`, such as one from before a restart: all that are kept.
        The stream ends with the session.
        """
        stream = events.stream(
            last_event_id,
            best_language(accept_language),
            may_go_on=lambda: login_holds(request.scope),
        )
        return StreamingResponse(stream, media_type="text/event-stream")


def _add_choices(api: APIRouter, administration: Administration) -> None:
    @api.post("/mode")
    async def set_mode(body: ModeBody) -> dict[str, str]:
        """Send requests to the other backend from now on."""
        with of_the_caller():
            await administration.set_mode(body.mode)
        return {"mode": administration.router.mode.value}

    @api.post("/connect")
    async def connect(body: ConnectBody) -> BackendAnswer:
        """Verify a server, and use it as the remote from now on."""
        with of_the_caller():
            health = await administration.connect(body.url, body.token)
        return _backend_answer(Mode.REMOTE.value, health)

    @api.post("/connect/test")
    async def test_connection(body: ConnectBody) -> BackendAnswer:
        """Verify a server without using it; nothing is kept."""
        with of_the_caller():
            health = await administration.test_server(body.url, body.token)
        return _backend_answer(Mode.REMOTE.value, health)

    @api.post("/disconnect")
    async def disconnect() -> dict[str, bool]:
        """Remove the remote server and its token."""
        with of_the_caller():
            await administration.disconnect()
        return {"connected": False}

    @api.post("/rotate-token")
    async def rotate_token() -> dict[str, bool]:
        """Have the remote server make a new token, and keep it. The token is not sent back."""
        with of_the_caller():
            await administration.rotate_token()
        return {"rotated": True}


def _add_backends(api: APIRouter, administration: Administration) -> None:
    router = administration.router

    @api.post("/backends/{name}/test")
    async def test(name: str) -> TestAnswer:
        """Speak one short sentence on a backend, unheard."""
        speech = await administration.router.probe(name)
        speaker = speech.speakers[0]
        return TestAnswer(
            backend=name,
            engine=speaker.engine,
            voice=speaker.voice,
            seconds=round(speech.seconds, 3),
        )

    @api.post("/backends/{name}/load")
    async def load(name: str) -> BackendAnswer:
        """Load a backend, and forget what failed there before."""
        return _backend_answer(name, await router.load_backend(name))

    @api.post("/backends/{name}/unload", status_code=HTTPStatus.NO_CONTENT)
    async def unload(name: str) -> None:
        """Unload a backend until it is loaded again."""
        await router.unload_backend(name)

    @api.post("/backends/{name}/check")
    async def check(name: str) -> BackendAnswer:
        """Check a backend now."""
        return _backend_answer(name, await router.check(name))


def status_json(administration: Administration, language: str) -> dict[str, Any]:
    """Return all that a page shows of the router; no secret is in it."""
    colab, error = administration.settings.colab, administration.settings_error
    status = administration.router.status()
    values = status.to_json()
    for backend, shown in zip(status.backends, values["backends"], strict=True):
        if backend.last_error is not None:
            shown["last_error"] = report_json(backend.last_error, language)
    return {
        "version": __version__,
        **values,
        "remote": {
            "enabled": colab.enabled,
            "endpoint_url": colab.endpoint_url,
            "has_token": bool(colab.auth_token.get_secret_value()),
        },
        "settings_error": report_json(ErrorReport.of(error), language) if error else None,
        "needs_restart": administration.needs_restart,
    }


def _backend_answer(name: str, health: Health) -> BackendAnswer:
    return BackendAnswer(
        backend=name,
        state=health.state.value,
        engine=health.engine,
        model=health.model,
        latency_ms=health.latency_ms,
    )


@contextmanager
def of_the_caller() -> Iterator[None]:
    """Turn wrong values of the caller into errors of the request, not of this service."""
    try:
        yield
    except SettingsFileError:
        raise
    except ConfigurationError as error:
        raise InvalidRequestError(error.detail, remedy=error.remedy) from error
