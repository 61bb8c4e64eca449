"""Admin API for the Colab notebook: what its form asks, and the file itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ValidationError

from vieneu_colab_server.relay.guard import ADMIN_API
from vieneu_core.credentials import MAX_TOKEN_CHARS, MAX_URL_CHARS
from vieneu_core.engines import AUTO_ENGINE, ENGINES, model_licences
from vieneu_core.errors import InvalidRequestError
from vieneu_core.i18n import languages
from vieneu_core.notebook import (
    MAX_SAMPLES,
    NotebookSettings,
    TunnelKind,
    notebook_file,
    samples_of,
)
from vieneu_core.translatable import Translatable
from vieneu_core.validation import field_of, reason_of
from vieneu_core.voices import Voice, VoiceCatalogue

FILE_NAME = "vieneu_relay.ipynb"
MAX_HOURS = 24
MAX_ID_CHARS = 100
"""More than any id of a custom voice has."""

Kind = Literal["choice", "flag", "hours", "list", "samples", "secret", "text", "url"]


class NotebookField(BaseModel):
    """One field of the form."""

    name: str
    kind: Kind
    default: Any = None
    choices: list[str] = []
    labels: dict[str, str] = {}
    """Names of choices that are equal in every language."""
    licences: dict[str, str] = {}
    """Licences of what can be written, by name: those of a model and of its voices."""
    maximum: float | None = None
    """Largest number, most characters, or most choices."""
    tunnels: list[str] | None = None
    """Tunnels with which it can be set; None: with each."""


class NotebookForm(BaseModel):
    """Answer of ``GET /notebook``."""

    fields: list[NotebookField]


def notebook_form(custom_voices: Sequence[Voice] = ()) -> NotebookForm:
    """Return the form of `NotebookSettings`: all fields but ``source``, which is this version.

    Args:
        custom_voices: The custom voices, which a notebook can carry.
    """
    defaults = NotebookSettings().model_dump(mode="json")
    tunnels = [kind.value for kind in TunnelKind]
    with_domains = [kind.value for kind in TunnelKind.with_domains()]
    public = [kind.value for kind in TunnelKind if kind is not TunnelKind.NONE]
    fields: list[dict[str, Any]] = [
        {"name": "language", "kind": "choice", "choices": list(languages())},
        {
            "name": "engine",
            "kind": "choice",
            "choices": [AUTO_ENGINE, *(each.engine for each in ENGINES)],
            "labels": {each.engine: each.label for each in ENGINES},
        },
        {
            "name": "tunnel",
            "kind": "choice",
            "choices": tunnels,
            "labels": {kind.value: kind.label for kind in TunnelKind if kind.label},
        },
        {"name": "session_hours", "kind": "hours", "maximum": MAX_HOURS},
        {"name": "drive_cache", "kind": "flag"},
        {"name": "domain", "kind": "text", "maximum": 253, "tunnels": with_domains},
        {"name": "model", "kind": "text", "maximum": 300, "licences": model_licences()},
        {"name": "codec", "kind": "text", "maximum": 300},
        {"name": "voices", "kind": "list"},
        {
            "name": "samples",
            "kind": "samples",
            "choices": [voice.id for voice in custom_voices],
            "labels": {voice.id: voice.name for voice in custom_voices},
            "maximum": MAX_SAMPLES,
        },
        {"name": "token", "kind": "secret", "maximum": MAX_TOKEN_CHARS},
        {"name": "callback_url", "kind": "url", "maximum": MAX_URL_CHARS, "tunnels": public},
    ]
    return NotebookForm(
        fields=[NotebookField(default=defaults[each["name"]], **each) for each in fields]
    )


def notebook_routes(catalogue: VoiceCatalogue) -> APIRouter:
    """Return the routes of the notebook.

    Args:
        catalogue: The custom voices, which a notebook can carry.
    """
    api = APIRouter(tags=["notebook"], prefix=ADMIN_API)

    @api.get("/notebook")
    async def form() -> NotebookForm:
        """Describe the fields of the notebook: kinds, defaults and choices."""
        return notebook_form(await asyncio.to_thread(catalogue.voices))

    @api.post("/notebook", response_class=Response)
    async def notebook(choices: dict[str, Any]) -> Response:
        """Make the notebook that runs the server on Google Colab; ``samples`` are ids of voices."""
        ids = _sample_ids(choices)
        samples = await asyncio.to_thread(samples_of, catalogue, ids)
        try:
            settings = NotebookSettings.model_validate({**choices, "samples": samples})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = field_of(first) or "settings"
            raise InvalidRequestError(
                Translatable("{field}: {reason}.", field=field, reason=reason_of(first)),
                remedy="Correct this field of the notebook.",
            ) from None
        return Response(
            await asyncio.to_thread(notebook_file, settings),
            media_type="application/x-ipynb+json",
            headers={"Content-Disposition": f'attachment; filename="{FILE_NAME}"'},
        )

    return api


def _sample_ids(choices: Mapping[str, Any]) -> tuple[str, ...]:
    ids = choices.get("samples") or []
    if not (isinstance(ids, list) and all(map(_is_id, ids))):
        raise InvalidRequestError(
            "samples: write a list of ids of voices.", remedy="Correct this field of the notebook."
        )
    return tuple(ids)


def _is_id(value: object) -> bool:
    # What cannot be printed is in no id, and half of a surrogate pair in no answer either.
    return isinstance(value, str) and len(value) <= MAX_ID_CHARS and value.isprintable()
