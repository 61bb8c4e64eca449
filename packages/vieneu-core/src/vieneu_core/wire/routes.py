"""Paths, headers and media types of the protocol."""

from __future__ import annotations

SYNTHESIZE = "/tts/synthesize"
STREAM = "/tts/stream"
HEALTH = "/health"
VOICES = "/voices"
ROTATE_TOKEN = "/admin/rotate-token"  # noqa: S105 - a path
DRAIN = "/admin/drain"
LIVEZ = "/livez"
READYZ = "/readyz"
PATHS = (SYNTHESIZE, STREAM, HEALTH, VOICES, ROTATE_TOKEN, DRAIN, LIVEZ, READYZ)
OPEN_PATHS = frozenset({LIVEZ, READYZ})
"""Paths of the probes, which need no token and reveal nothing."""

WIRE_VERSION_HEADER = "Vieneu-Wire-Version"
"""Header of every request and every response: the sender's `version.WIRE_VERSION`."""
REQUEST_ID_HEADER = "Vieneu-Request-Id"
"""Header of every response to a synthesis: the id of the request."""
NGROK_SKIP_WARNING_HEADER = "ngrok-skip-browser-warning"
NGROK_ERROR_HEADER = "Ngrok-Error-Code"

FRAMES_OPUS = "application/vnd.vieneu.frames+opus"
"""Our framing around raw Opus packets."""
FRAMES_PCM = "application/vnd.vieneu.frames+pcm"
"""Our framing around signed 16-bit little-endian samples."""
PROBLEM_JSON = "application/problem+json"
