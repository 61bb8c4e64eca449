"""Admin API of the speech cache: its state, whether it is used, its content."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from vieneu_colab_server.relay.admin_api import of_the_caller
from vieneu_colab_server.relay.administration import Administration
from vieneu_colab_server.relay.event_stream import report_json
from vieneu_colab_server.relay.guard import ADMIN_API
from vieneu_colab_server.relay.preparation import AnnouncementPreparation, PreparationBody
from vieneu_core.errors import ConfigurationError
from vieneu_core.i18n import best_language
from vieneu_core.router import ErrorReport

if TYPE_CHECKING:
    from vieneu_core.speech_cache import CachedBackend

CACHE = "/cache"


class CacheBody(BaseModel):
    """Body of ``PUT /cache``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = Field(strict=True)


class CacheAnswer(BaseModel):
    """State of the speech cache."""

    enabled: bool
    entries: int
    """Sentences that are stored, whether it is used now or not."""
    bytes: int
    """Bytes on the disk."""
    hits: int
    """Sentences that were replayed since the start."""
    misses: int
    problem: dict[str, str] | None
    """Why its folder cannot be used."""


def cache_routes(
    cached: CachedBackend, preparation: AnnouncementPreparation, administration: Administration
) -> APIRouter:
    """Return the routes of the speech cache."""
    api = APIRouter(tags=["cache"], prefix=ADMIN_API)

    @api.get(CACHE)
    async def cache(accept_language: Annotated[str, Header()] = "") -> CacheAnswer:
        """State size and use of the speech cache."""
        return await _answer(cached, best_language(accept_language))

    @api.put(CACHE)
    async def switch(
        body: CacheBody, accept_language: Annotated[str, Header()] = ""
    ) -> CacheAnswer:
        """Use the cache from the next request on, or no longer; what is stored stays there."""
        with of_the_caller():
            await administration.keep({"cache.enabled": body.enabled})
        if body.enabled:
            await cached.cache.open()  # what is wrong with its folder is stated at once
        return await _answer(cached, best_language(accept_language))

    @api.delete(CACHE, status_code=HTTPStatus.NO_CONTENT)
    async def clear() -> None:
        """Remove all stored speech."""
        await cached.flush()
        await cached.cache.clear()

    @api.post(f"{CACHE}/prepare")
    async def prepare(
        body: PreparationBody, accept_language: Annotated[str, Header()] = ""
    ) -> StreamingResponse:
        """Speak announcements unheard, and keep them: a line of JSON for each, as it is done."""
        lines = preparation.start(body, best_language(accept_language))
        return StreamingResponse(lines, media_type="application/x-ndjson")

    return api


async def _answer(cached: CachedBackend, language: str) -> CacheAnswer:
    entries = 0
    with suppress(ConfigurationError):  # which is the problem of the cache
        entries = (await cached.cache.count()).entries
    stats, problem = cached.cache.stats(), cached.cache.problem
    return CacheAnswer(
        enabled=cached.enabled,
        entries=entries,
        bytes=stats.bytes,
        hits=stats.hits,
        misses=stats.misses,
        problem=None if problem is None else report_json(ErrorReport.of(problem), language),
    )
