"""Routes of the admin's login: by one-time code, by password, and out."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from vieneu_colab_server.middleware.rate_limit import client_of
from vieneu_colab_server.relay.guard import ADMIN_API, SESSION_COOKIE, session_of
from vieneu_colab_server.relay.ingress import is_ingress
from vieneu_colab_server.relay.login import MAX_PASSWORD_CHARS, SESSION_IDLE_S, AdminAccount
from vieneu_colab_server.relay.speak.guard import open_in_browser, remove_cookie
from vieneu_colab_server.relay.speak.session import SpeakSessions

LOGIN, LOGIN_CODE = "/login", "/login/code"
LOGIN_PATHS = frozenset({LOGIN, LOGIN_CODE})
"""Open: whoever is not logged in needs them."""
_MAX_SECRET = MAX_PASSWORD_CHARS + 1
"""One more than is allowed: what is too long is an error of its own, not of the body."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class LoginBody(_Body):
    """Body of ``POST /login``."""

    password: SecretStr = Field(max_length=_MAX_SECRET)


class CodeBody(_Body):
    """Body of ``POST /login/code``."""

    code: SecretStr = Field(max_length=_MAX_SECRET)


class PasswordBody(_Body):
    """Body of ``POST /password``."""

    password: SecretStr = Field(max_length=_MAX_SECRET)


class LoginAnswer(BaseModel):
    """Answer of a login."""

    has_password: bool
    """Where there is none, the page asks the admin to choose one."""


class LoginState(BaseModel):
    """Answer of ``GET /login``."""

    logged_in: bool
    has_password: bool
    """False until a password was chosen: then only the one-time code opens the page."""


def login_routes(account: AdminAccount, speak_sessions: SpeakSessions) -> APIRouter:
    """Return the routes of the login; an admin may use the Speak page too."""
    api = APIRouter(tags=["login"], prefix=ADMIN_API)

    def open_both(request: Request, response: Response, session: SecretStr) -> None:
        _set_cookie(request, response, session)
        open_in_browser(speak_sessions, request, response, admin_session=session.get_secret_value())

    async def end_both(session: str) -> None:
        if session:
            account.log_out(session)
            await asyncio.to_thread(speak_sessions.end_of_admin, session)

    @api.get(LOGIN)
    async def login_state(request: Request) -> LoginState:
        """State whether this browser is logged in."""
        if is_ingress(request.scope):  # by Home Assistant, so that no password is needed
            return LoginState(logged_in=True, has_password=True)
        return LoginState(
            logged_in=account.has_session(session_of(request.headers)),
            has_password=account.has_password,
        )

    @api.post(LOGIN)
    async def log_in(body: LoginBody, request: Request, response: Response) -> LoginAnswer:
        """Log in with the password."""
        password, client = body.password.get_secret_value(), client_of(request.scope)
        session = await asyncio.to_thread(account.log_in, password, client=client)
        await end_both(session_of(request.headers))  # its cookie is replaced
        open_both(request, response, session)
        return LoginAnswer(has_password=True)

    @api.post(LOGIN_CODE)
    async def log_in_with_code(body: CodeBody, request: Request, response: Response) -> LoginAnswer:
        """Log in with the one-time code."""
        code, client = body.code.get_secret_value(), client_of(request.scope)
        session = account.log_in_with_code(code, client=client)
        await end_both(session_of(request.headers))
        open_both(request, response, session)
        return LoginAnswer(has_password=account.has_password)

    @api.post("/password")
    async def set_password(body: PasswordBody, request: Request, response: Response) -> LoginAnswer:
        """Choose the password; every other session ends, and those of the Speak page with it."""
        password = body.password.get_secret_value()
        session = session_of(request.headers)
        new = await asyncio.to_thread(account.set_password, password, session=session)
        open_both(request, response, new)
        return LoginAnswer(has_password=True)

    @api.post("/logout")
    async def log_out(request: Request, response: Response) -> dict[str, bool]:
        """End this session, and that of the Speak page with it."""
        await end_both(session_of(request.headers))
        response.delete_cookie(SESSION_COOKIE, path=_cookie_path(request))
        remove_cookie(request, response)
        return {"logged_in": False}

    return api


def _set_cookie(request: Request, response: Response, session: SecretStr) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        session.get_secret_value(),
        max_age=int(SESSION_IDLE_S),
        path=_cookie_path(request),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def _cookie_path(request: Request) -> str:
    return request.scope.get("root_path", "") or "/"
