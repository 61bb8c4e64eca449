"""Admin API of the user's dictionary: its content, what is wrong in it, and saving."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field

from vieneu_colab_server.relay.admin_api import of_the_caller
from vieneu_colab_server.relay.administration import Administration
from vieneu_colab_server.relay.event_stream import report_json
from vieneu_colab_server.relay.guard import ADMIN_API
from vieneu_core.errors import ConfigurationError
from vieneu_core.i18n import best_language, translated
from vieneu_core.router import ErrorReport
from vieneu_core.text.user_dictionary import UserDictionary
from vieneu_core.text.watched_dictionary_file import (
    MAX_DICTIONARY_BYTES,
    content_of,
    path_of_dictionary,
    version_of,
    write_dictionary,
)

DICTIONARY = "/dictionary"


class DictionaryBody(BaseModel):
    """Body of ``PUT /dictionary``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    text: str = Field(max_length=MAX_DICTIONARY_BYTES)
    version: str = Field(max_length=64)
    """Of the content that was changed, as it was sent."""


def dictionary_routes(administration: Administration) -> APIRouter:
    """Return the routes of the user's dictionary."""
    api = APIRouter(tags=["dictionary"], prefix=ADMIN_API)
    saving = asyncio.Lock()  # of two admins who changed the same content, the first one is heard

    @api.get(DICTIONARY)
    async def dictionary(accept_language: Annotated[str, Header()] = "") -> dict[str, Any]:
        """State the content of the file, and name each line that is skipped."""
        return await _answer(administration, best_language(accept_language))

    @api.put(DICTIONARY)
    async def save(
        body: DictionaryBody, accept_language: Annotated[str, Header()] = ""
    ) -> dict[str, Any]:
        """Replace the content; it holds from the next announcement on. A file is made if needed."""
        with of_the_caller():
            async with saving:
                await _save(administration, body)
        return await _answer(administration, best_language(accept_language))

    return api


async def _save(administration: Administration, body: DictionaryBody) -> None:
    """Write the file; only then name it in the settings.

    Raises:
        InvalidRequestError: it has been changed elsewhere meanwhile, or is too long.
        ConfigurationError: file or settings cannot be written.
    """
    named = administration.settings.text.dictionary
    path = path_of_dictionary(named, administration.path)
    await asyncio.to_thread(write_dictionary, path, body.text, version=body.version)
    if named is None:
        await administration.keep({"text.dictionary": str(path)})
    if (file := administration.router.reading.file) is not None:
        await file.refresh()  # without waiting for the next look at it


async def _answer(administration: Administration, language: str) -> dict[str, Any]:
    named = administration.settings.text.dictionary
    path = path_of_dictionary(named, administration.path)
    text, problem = "", None
    try:
        text = await asyncio.to_thread(content_of, path)
    except ConfigurationError as error:
        problem = report_json(ErrorReport.of(error), language)
    parsed = await asyncio.to_thread(UserDictionary.parse, text)
    return {
        "path": str(path),
        "text": text,
        "version": version_of(text),
        "entries": len(parsed.entries),
        "bad_lines": [
            {"line": bad.line, "reason": translated(bad.reason, language)}
            for bad in parsed.bad_lines
        ],
        "problem": problem,
    }
