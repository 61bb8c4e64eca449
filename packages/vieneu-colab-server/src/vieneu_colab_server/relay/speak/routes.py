"""Routes of the Speak page's own API: login, texts of files, their sentences, texts of errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from vieneu_colab_server import __version__
from vieneu_colab_server.app import Service
from vieneu_colab_server.relay.jobs.script import decoded
from vieneu_colab_server.relay.speak.bodies import (
    FileTextAnswer,
    LoginAnswer,
    PageAnswer,
    ProblemText,
    SentencesAnswer,
    TextBody,
    TokenBody,
)
from vieneu_colab_server.relay.speak.guard import (
    end_session,
    open_in_browser,
    remove_cookie,
)
from vieneu_colab_server.relay.speak.session import SpeakSessions
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.errors import TextTooLongError
from vieneu_core.i18n import best_language, error_text, translated
from vieneu_core.text import split_sentences
from vieneu_core.translatable import Translatable
from vieneu_core.wire.problem import Problem, sendable, to_error

LOGIN, PROBLEM_TEXT = "/login", "/problem-text"
OPEN_SPEAK_PATHS = frozenset({LOGIN, PROBLEM_TEXT})
"""Whoever is not logged in needs them."""


def speak_routes(
    sessions: SpeakSessions,
    service: Service,
    settings: ServerSettings,
    *,
    voices_version: Callable[[], Awaitable[str]],
) -> APIRouter:
    """Return the routes of the page's own API."""
    api = APIRouter(tags=["speak"])
    decoding = asyncio.Lock()
    _add_login(api, sessions)

    @api.get("/page")
    async def page() -> PageAnswer:
        """State what the page must know of the service."""
        health = await service.lifecycle.health()
        return PageAnswer(
            version=__version__,
            max_text_chars=settings.max_text_chars,
            max_reference_s=settings.max_reference_s,
            clones=health.clones,
            voices_version=await voices_version(),
        )

    @api.post("/sentences")
    async def sentences(body: TextBody) -> SentencesAnswer:
        """Split a text into the sentences that are spoken one by one."""
        if len(body.text) > settings.max_text_chars:
            raise TextTooLongError(
                Translatable(
                    "The text has {n_chars} characters; this server takes {max_text_chars}.",
                    n_chars=len(body.text),
                    max_text_chars=settings.max_text_chars,
                ),
                remedy="Shorten it, or make a long job of it.",
            )
        found = await asyncio.to_thread(split_sentences, body.text)
        return SentencesAnswer(sentences=list(found))

    @api.post("/file-text")
    async def file_text(request: Request) -> FileTextAnswer:
        """Return the text that the bytes of a file are, in whatever encoding it was saved."""
        content = await request.body()
        async with decoding:  # one takes seconds where it was made to
            return FileTextAnswer(text=await asyncio.to_thread(decoded, content))

    @api.post(PROBLEM_TEXT)
    async def problem_text(
        body: Problem, accept_language: Annotated[str, Header()] = ""
    ) -> ProblemText:
        """Return the texts of a problem in a language."""
        return await asyncio.to_thread(_problem_text, body, best_language(accept_language))

    return api


def _add_login(api: APIRouter, sessions: SpeakSessions) -> None:
    @api.post(LOGIN)
    async def log_in(body: TokenBody, request: Request, response: Response) -> LoginAnswer:
        """Enter the token for speech; the browser is remembered, and its former session ends."""
        await sessions.check_token(body.token.get_secret_value(), request.scope)
        await end_session(sessions, request)
        open_in_browser(sessions, request, response)
        return LoginAnswer(logged_in=True)

    @api.post("/logout")
    async def log_out(request: Request, response: Response) -> LoginAnswer:
        """End this session; copies of its cookie end with it."""
        await end_session(sessions, request)
        remove_cookie(request, response)
        return LoginAnswer(logged_in=False)


def _problem_text(problem: Problem, language: str) -> ProblemText:
    error = to_error(problem, backend="")
    own = error_text(problem.code, error.remedy, language)
    return ProblemText(
        detail=sendable(translated(error.detail, language)),
        remedy=sendable(translated(error.remedy, language) if own is None else own.remedy),
    )
