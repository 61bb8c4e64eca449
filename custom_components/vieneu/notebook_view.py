"""Hands out the notebook for Google Colab, to whoever is logged in or has a signed link."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Self

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ulid import ulid_now

from vieneu_core.notebook import NotebookSettings, render_notebook

from .const import DOMAIN
from .error_translation import language_of

VALID_FOR = timedelta(minutes=30)
KEPT = 8
"""Notebooks that may be waiting to be downloaded; the oldest are forgotten."""
_WAITING: HassKey[dict[str, bytes]] = HassKey(f"{DOMAIN}_notebooks")
_TOO_OLD = {
    "en": "This link is no longer valid. Go back to the dialog or action, and make a new one.",
    "vi": "Liên kết này không còn dùng được. Hãy quay lại hộp thoại hoặc action để tạo lại.",
}


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook and its file."""

    settings: NotebookSettings
    content: bytes = field(repr=False)
    """Holds the token."""

    @classmethod
    def of(cls, choices: Mapping[str, Any]) -> Self:
        """Make a notebook. Blocking: it packs and renders.

        Raises:
            ValidationError: a choice is wrong.
            VieneuError: it cannot be made here.
        """
        settings = NotebookSettings.model_validate(choices)
        rendered = json.dumps(render_notebook(settings), ensure_ascii=False, indent=1)
        return cls(settings, rendered.encode())


@callback
def async_register(hass: HomeAssistant) -> None:
    """Serve notebooks from now on. A flow needs that before any entry is set up."""
    if _WAITING not in hass.data:
        hass.data[_WAITING] = {}
        hass.http.register_view(NotebookView())


@callback
def async_offer(hass: HomeAssistant, notebook: Notebook) -> str:
    """Return a link to a notebook, good for half an hour."""
    async_register(hass)
    waiting = hass.data[_WAITING]
    while len(waiting) >= KEPT:
        del waiting[next(iter(waiting))]
    key = ulid_now()
    waiting[key] = notebook.content
    return async_sign_path(hass, f"/api/{DOMAIN}/notebook/{key}", VALID_FOR, use_content_user=True)


class NotebookView(HomeAssistantView):
    """One notebook, as a file."""

    url = f"/api/{DOMAIN}/notebook/{{key}}"
    name = f"api:{DOMAIN}:notebook"
    requires_auth = True

    async def get(self, request: web.Request, key: str) -> web.Response:
        """Send it."""
        hass: HomeAssistant = request.app[KEY_HASS]
        content = hass.data[_WAITING].get(key)
        if content is None:
            return self.json_message(_TOO_OLD[language_of(hass)], HTTPStatus.NOT_FOUND)
        return web.Response(
            body=content,
            content_type="application/x-ipynb+json",
            headers={
                "Content-Disposition": 'attachment; filename="vieneu-relay.ipynb"',
                "Cache-Control": "no-store",
            },
        )
