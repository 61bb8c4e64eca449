"""Actions: announce, add a voice, generate the notebook, warm up a backend."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

import probatio as vol
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service
from pydantic import ValidationError

from vieneu_core.errors import VieneuError
from vieneu_core.notebook import MAX_SAMPLES, TunnelKind
from vieneu_core.voices.reference import read_reference

from . import notebook_view
from .announce_action import ANNOUNCE, async_announce, loaded_entry
from .announcer import Announcer
from .config_forms import CONF_SAMPLES
from .const import DOMAIN, LANGUAGES
from .error_translation import language_of, translated

ATTR_LANGUAGE: Final = "language"
ATTR_NAME: Final = "name"
ATTR_PATH: Final = "path"
ATTR_TRANSCRIPT: Final = "transcript"

ADD_VOICE = vol.Schema(
    {
        vol.Required(ATTR_NAME): vol.All(cv.string, vol.Length(min=1, max=60)),
        vol.Required(ATTR_PATH): cv.path,
        vol.Required(ATTR_TRANSCRIPT): vol.All(cv.string, vol.Length(min=1, max=1000)),
        vol.Optional(ATTR_LANGUAGE, default="vi"): vol.In(LANGUAGES),
    }
)
NOTEBOOK = vol.Schema(
    {
        vol.Optional("tunnel", default=TunnelKind.NGROK.value): vol.In(
            [choice.value for choice in TunnelKind]
        ),
        vol.Optional("domain"): cv.string,
        vol.Optional("engine", default="auto"): cv.string,
        vol.Optional("model"): cv.string,
        vol.Optional(CONF_SAMPLES): vol.All(
            cv.ensure_list, [cv.string], vol.Length(max=MAX_SAMPLES)
        ),
    }
)
WARM = vol.Schema({vol.Optional("backend", default="local"): vol.In(["local", "remote"])})


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the actions."""
    register = hass.services.async_register
    announce = partial(async_announce, Announcer(hass))
    register(DOMAIN, "announce", announce, ANNOUNCE, SupportsResponse.OPTIONAL)
    register(DOMAIN, "add_voice", _add_voice, ADD_VOICE, SupportsResponse.OPTIONAL)
    # It hands out recordings of voices, and what the administrator wrote about them.
    async_register_admin_service(
        hass, DOMAIN, "generate_notebook", _notebook, NOTEBOOK, SupportsResponse.ONLY
    )
    register(DOMAIN, "warm", _warm, WARM, SupportsResponse.OPTIONAL)


async def _add_voice(call: ServiceCall) -> ServiceResponse:
    """Add a custom voice from a clip in a folder that Home Assistant may read."""
    hass, entry = call.hass, loaded_entry(call.hass)
    path = Path(call.data[ATTR_PATH])
    if not await hass.async_add_executor_job(hass.config.is_allowed_path, str(path)):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="path_not_allowed",
            translation_placeholders={"path": str(path)},
        )

    def add() -> str:
        reference = read_reference(path.read_bytes(), call.data[ATTR_TRANSCRIPT]).reference
        catalogue = entry.runtime_data.voices
        added = catalogue.add(call.data[ATTR_NAME], reference, language=call.data[ATTR_LANGUAGE])
        return added.voice.id

    try:
        voice = await hass.async_add_executor_job(add)
    except OSError as error:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="clip_unreadable",
            translation_placeholders={"path": str(path)},
        ) from error
    except VieneuError as error:
        raise translated(hass, error, "voice_not_added") from error
    await entry.runtime_data.coordinator.async_refresh_voices()
    return {"voice": voice}


async def _notebook(call: ServiceCall) -> ServiceResponse:
    """Return a link to a notebook. The token is not in it."""
    hass = call.hass
    choices = {**call.data, "language": language_of(hass)}
    try:
        notebook = await notebook_view.async_make(hass, choices)
    except ValidationError as error:
        # An error without a field is a conflict of fields.
        fields = {str(each["loc"][0]) for each in error.errors() if each["loc"]} or set(call.data)
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="notebook_wrong",
            translation_placeholders={
                "fields": ", ".join(sorted(fields)),
                "tunnels": ", ".join(TunnelKind.with_domains()),
            },
        ) from error
    except VieneuError as error:
        raise translated(hass, error, "notebook_failed") from error
    return {"url": notebook_view.async_offer(hass, notebook)}


async def _warm(call: ServiceCall) -> ServiceResponse:
    """Speak a sentence without playing it, so that the next one starts at once."""
    entry = loaded_entry(call.hass)
    try:
        speech: Any = await entry.runtime_data.router.probe(call.data["backend"])
    except VieneuError as error:
        raise translated(call.hass, error, "not_spoken") from error
    return {"seconds": round(speech.seconds, 2)}
