"""Forms of the config flow: fields, and placeholders of texts."""

from __future__ import annotations

from collections.abc import Sequence

import probatio as vol
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from vieneu_core.config import TunnelKind
from vieneu_core.engines.registry import AUTO_ENGINE, ENGINES, MODEL_ENGINES, model_licences
from vieneu_core.voices import Voice

from .const import CONF_ENGINE

CONF_MODEL = "model"
CONF_TUNNEL = "tunnel"
CONF_DOMAIN_NAME = "domain"
CONF_SAMPLES = "samples"

SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
ADDRESS = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
TOKEN = vol.Schema({vol.Required(CONF_TOKEN): SECRET})
SERVER = vol.Schema({vol.Required(CONF_URL): TextSelector(), vol.Required(CONF_TOKEN): SECRET})
_LABELS = {each.engine: each.label for each in ENGINES}
ENGINE_OPTIONS = [
    SelectOptionDict(value=name, label=_LABELS.get(name, name)) for name in sorted(MODEL_ENGINES)
]
"""Labels are used if the translations have no text: most names are the same in each language."""

MODEL = vol.Schema(
    {
        vol.Required(CONF_ENGINE, default=AUTO_ENGINE): SelectSelector(
            SelectSelectorConfig(options=ENGINE_OPTIONS, translation_key="engine")
        ),
        vol.Optional(CONF_MODEL): TextSelector(),
    }
)
NOTEBOOK = vol.Schema(
    {
        vol.Required(CONF_TUNNEL, default=TunnelKind.NGROK.value): SelectSelector(
            SelectSelectorConfig(
                options=[kind.value for kind in TunnelKind if kind is not TunnelKind.NONE],
                translation_key="tunnel",
            )
        ),
        vol.Optional(CONF_DOMAIN_NAME): TextSelector(),
    }
)


def notebook_form(custom_voices: Sequence[Voice]) -> vol.Schema:
    """Return the form of the notebook; it offers to carry custom voices, if there are any."""
    if not custom_voices:
        return NOTEBOOK
    options = [SelectOptionDict(value=voice.id, label=voice.name) for voice in custom_voices]
    chosen = SelectSelector(SelectSelectorConfig(options=options, multiple=True))
    return NOTEBOOK.extend({vol.Optional(CONF_SAMPLES): chosen})


PLACEHOLDERS = {
    "detail": "",
    "remedy": "",
    "example": "https://abc.ngrok-free.app",
    "server_example": "http://192.168.1.20:8000",
    "colab": "https://colab.research.google.com",
    "tunnels": ", ".join(TunnelKind.with_domains()),
    "licences": "; ".join(f"{name}: {licences}" for name, licences in model_licences().items()),
}
"""Placeholders of all forms: of errors, URLs, which Home Assistant forbids in translations, and
names that the core knows."""
