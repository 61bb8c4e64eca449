"""Constants that several modules need."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from vieneu_core.router import Mode

DOMAIN: Final = "vieneu"
LANGUAGES: Final = ("vi", "en")
"""Languages of speech; those of texts are the files in ``translations/``."""
DEFAULT_LANGUAGE: Final = "vi"

CONF_LOCAL: Final = "local"
"""Data key of the local voice: a mapping with `CONF_KIND` and the settings of that kind."""
CONF_KIND: Final = "kind"
CONF_ENGINE: Final = "engine"
CONF_ENGINE_OPTIONS: Final = "engine_options"
CONF_APP: Final = "app"
"""Key of the app (add-on) of Home Assistant that is the local server: its slug."""
APP_PAGE: Final = "homeassistant://hassio/addon/{app}/info"
"""Page of an app, with its log and the button that starts it."""
CONF_COLAB: Final = "colab"
"""Data key of the server on Colab: a mapping with URL and token; absent without a server."""
CONF_WEBHOOK: Final = "webhook_id"
"""Data key of the webhook for the server's new address."""

CONF_MODE: Final = "mode"
"""Option key of the backend for requests."""
CONF_VOICE: Final = "voice"
"""Option key of the voice for requests that name none; empty means the backend's default."""
CONF_SPEED: Final = "speed"
CONF_PAUSE: Final = "sentence_pause"
"""Option key of the shortest pause between two sentences, in seconds; 0 leaves the natural one."""
CONF_DICTIONARY: Final = "dictionary"
"""Option key of the user's dictionary: its text, as in a file."""
CONF_FALLBACK: Final = "automatic_fallback"
CONF_FALLBACK_ENTITY: Final = "fallback_entity"
"""Option key of another text-to-speech entity, which speaks before the embedded voice."""
CONF_KEEP_SPEECH: Final = "keep_speech"
"""Option key of the cache of finished speech on disk."""

CONF_REFUSED_BY: Final = "refused_by"
"""Key in the data of a reauthentication: the backend whose token is not accepted."""
REAUTH_STEPS: Final = {
    "reauth_app": Mode.LOCAL,
    "reauth_server": Mode.LOCAL,
    "reauth_confirm": Mode.REMOTE,
}
"""Forms of a refused token, each with its backend."""
CONF_SERVERS: Final = {Mode.LOCAL: CONF_LOCAL, Mode.REMOTE: CONF_COLAB}
"""Data key of the settings of each backend."""
RECONFIGURE_MENU: Final = "menu"
"""Repair of an issue for which the admin chooses a form of the reconfigure flow."""

ATTR_SPEED: Final = "speed"
ATTR_PAUSE: Final = "sentence_pause"
ATTR_LEAD_IN: Final = "lead_in"
ATTR_CHIME: Final = "chime"
OWN_CHIME: Final = "bell"
"""Value of `ATTR_CHIME` for the chime of this integration; any other is the id of a media."""
ATTR_CACHE: Final = "vieneu_cache"
"""Option that is part of the key of Home Assistant's audio cache; see `ProvenCache`."""
NOT_KEPT: Final = "not kept"
"""Beginning of `ATTR_CACHE` for speech that no cache keeps, or is asked for."""

DEFAULT_SPEED: Final = 1.0
DEFAULT_PAUSE: Final = 0.0
MAX_PAUSE: Final = 5.0
MAX_DICTIONARY_CHARS: Final = 64 * 1024
"""Home Assistant keeps all options in one file, which it writes as a whole."""


class LocalKind(StrEnum):
    """Kind of the local voice."""

    EMBEDDED = "embedded"
    """The embedded voice."""
    MODEL = "model"
    """A VieNeu model in a worker process on this machine."""
    SERVER = "server"
    """A VieNeu server on the home network."""
