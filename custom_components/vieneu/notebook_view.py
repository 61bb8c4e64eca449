"""HTTP view that serves notebooks for Colab to logged-in users, or by a signed link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Self

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_load_integrations
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ulid import ulid_now

from vieneu_core.notebook import NotebookSettings, notebook_file, samples_of
from vieneu_core.voices.catalogue import VoiceCatalogue

from .config_forms import CONF_SAMPLES
from .const import DOMAIN
from .error_translation import message
from .runtime import voice_catalogue

VALID_FOR = timedelta(minutes=30)
KEPT = 8
"""Number of notebooks kept for download; the oldest are deleted."""
_OFFERED: HassKey[dict[str, bytes]] = HassKey(f"{DOMAIN}_notebooks")


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook as a file."""

    settings: NotebookSettings
    content: bytes = field(repr=False)
    """Content; it contains the token."""

    @classmethod
    def of(cls, choices: Mapping[str, Any], voices: VoiceCatalogue) -> Self:
        """Render a notebook. Blocking, because it packs the packages of this version.

        Args:
            choices: Its settings; ``samples`` are ids of custom voices.
            voices: The custom voices.

        Raises:
            ValidationError: a setting is invalid.
            VieneuError: it cannot be rendered here, or a voice cannot be carried.
        """
        samples = samples_of(voices, tuple(choices.get(CONF_SAMPLES, ())))
        settings = NotebookSettings.model_validate({**choices, CONF_SAMPLES: samples})
        return cls(settings, notebook_file(settings))


async def async_make(hass: HomeAssistant, choices: Mapping[str, Any]) -> Notebook:
    """Render a notebook; see `Notebook.of`."""
    return await hass.async_add_executor_job(Notebook.of, choices, voice_catalogue(hass))


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the view. A flow needs it before any entry is set up."""
    if _OFFERED not in hass.data:
        hass.data[_OFFERED] = {}
        hass.http.register_view(NotebookView())


@callback
def async_offer(hass: HomeAssistant, notebook: Notebook) -> str:
    """Return a link to a notebook that is valid for half an hour."""
    async_register(hass)
    offered = hass.data[_OFFERED]
    while len(offered) >= KEPT:
        del offered[next(iter(offered))]
    key = ulid_now()
    offered[key] = notebook.content
    return async_sign_path(hass, f"/api/{DOMAIN}/notebook/{key}", VALID_FOR, use_content_user=True)


class NotebookView(HomeAssistantView):
    """View of one notebook as a file."""

    url = f"/api/{DOMAIN}/notebook/{{key}}"
    name = f"api:{DOMAIN}:notebook"
    requires_auth = True

    async def get(self, request: web.Request, key: str) -> web.Response:
        """Send the file."""
        hass: HomeAssistant = request.app[KEY_HASS]
        content = hass.data[_OFFERED].get(key)
        if content is None:
            await async_load_integrations(hass, {DOMAIN})  # a flow may use the view first
            text = message(hass, "exceptions", "link_expired.message", "")
            return self.json_message(text, HTTPStatus.NOT_FOUND)
        return web.Response(
            body=content,
            content_type="application/x-ipynb+json",
            headers={
                "Content-Disposition": 'attachment; filename="vieneu-relay.ipynb"',
                "Cache-Control": "no-store",
            },
        )
