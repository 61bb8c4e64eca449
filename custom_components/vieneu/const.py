"""Constants that more than one module needs."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

DOMAIN: Final = "vieneu"
LANGUAGES: Final = ("vi", "en")
DEFAULT_LANGUAGE: Final = "vi"

CONF_LOCAL: Final = "local"
"""Data: the local voice. A mapping with `CONF_KIND`, and what that kind needs."""
CONF_KIND: Final = "kind"
CONF_ENGINE: Final = "engine"
CONF_ENGINE_OPTIONS: Final = "engine_options"
CONF_COLAB: Final = "colab"
"""Data: the server on Colab, a mapping with URL and token; absent where there is none."""
CONF_WEBHOOK: Final = "webhook_id"
"""Data: the webhook to which the server sends a new address."""

CONF_MODE: Final = "mode"
"""Option: the backend that gets the requests."""
CONF_VOICE: Final = "voice"
"""Option: voice of requests that name none; empty is the backend's own default."""
CONF_SPEED: Final = "speed"
CONF_PAUSE: Final = "sentence_pause"
"""Option: silence between two sentences, in seconds."""
CONF_FALLBACK: Final = "automatic_fallback"

ATTR_SPEED: Final = "speed"
ATTR_PAUSE: Final = "sentence_pause"

DEFAULT_SPEED: Final = 1.0
DEFAULT_PAUSE: Final = 0.0
MAX_PAUSE: Final = 5.0


class LocalKind(StrEnum):
    """Kind of the local voice."""

    EMBEDDED = "embedded"
    """The small voice that comes with the core."""
    MODEL = "model"
    """A VieNeu model in a worker process of this machine."""
    SERVER = "server"
    """A VieNeu server on the home network."""
