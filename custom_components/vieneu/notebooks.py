"""Hands out the notebook for Google Colab, to whoever is logged in or has a signed link."""

from __future__ import annotations

import json
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ulid import ulid_now

from vieneu_core.notebook import NotebookSettings, render_notebook

from .const import DOMAIN

VALID_FOR = timedelta(minutes=30)
KEPT = 8
"""Notebooks that may be waiting to be downloaded; the oldest are forgotten."""
_WAITING: HassKey[dict[str, NotebookSettings]] = HassKey(f"{DOMAIN}_notebooks")


@callback
def async_register(hass: HomeAssistant) -> None:
    """Serve notebooks from now on."""
    hass.data[_WAITING] = {}
    hass.http.register_view(NotebookView())


@callback
def async_offer(hass: HomeAssistant, settings: NotebookSettings) -> str:
    """Return a link, good for half an hour, to a notebook of these settings."""
    waiting = hass.data[_WAITING]
    while len(waiting) >= KEPT:
        del waiting[next(iter(waiting))]
    key = ulid_now()
    waiting[key] = settings
    return async_sign_path(hass, f"/api/{DOMAIN}/notebook/{key}", VALID_FOR, use_content_user=True)


class NotebookView(HomeAssistantView):
    """One notebook, as a file."""

    url = f"/api/{DOMAIN}/notebook/{{key}}"
    name = f"api:{DOMAIN}:notebook"
    requires_auth = True

    async def get(self, request: web.Request, key: str) -> web.Response:
        """Render it, on a thread."""
        hass: HomeAssistant = request.app[KEY_HASS]
        settings = hass.data[_WAITING].get(key)
        if settings is None:
            return self.json_message("This link is too old.", HTTPStatus.NOT_FOUND)
        content = await hass.async_add_executor_job(_rendered, settings)
        return web.Response(
            body=content,
            content_type="application/x-ipynb+json",
            headers={
                "Content-Disposition": 'attachment; filename="vieneu-relay.ipynb"',
                "Cache-Control": "no-store",
            },
        )


def _rendered(settings: NotebookSettings) -> bytes:
    notebook: dict[str, Any] = render_notebook(settings)
    return json.dumps(notebook, ensure_ascii=False, indent=1).encode()
