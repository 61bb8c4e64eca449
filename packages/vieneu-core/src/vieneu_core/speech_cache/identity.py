"""Identity of the speech of the chosen backend, and the cache key of a request on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from vieneu_core.arguments import check_fields
from vieneu_core.errors import InvalidRequestError, TextTooLongError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.text.reading import Reader, Reading
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    from vieneu_core.config import Settings
    from vieneu_core.router import Router, RouterStatus

MAX_CHARS = 10_000
"""A longer text is no announcement: splitting it would delay its first sound."""
_KEY_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What decides how a backend sounds, apart from the request."""

    engine: str
    model: str
    version: str
    """Of the package that prepares the text and runs the engine."""
    options: str = ""
    """Digest of the engine and options that the settings name; empty for a remote backend."""

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The backend that the admin chose, as far as it is known now."""

    name: str
    """As in `Speaker.backend`."""
    identity: Identity | None = None
    """None while it is not known; then the last known one with the same options counts."""
    options: str = ""
    """As `Identity.options`, also while the identity is not known."""
    default_voice: str | None = None
    """Id of the voice that the settings give to requests that name none."""


@dataclass(frozen=True, slots=True)
class SpokenVoice:
    """The voice of a request."""

    id: str
    clip: str = ""
    """`ReferenceAudio.content_id` of a voice that was added, or of the request's own clip."""


def chosen_by(router: Router, settings: Settings) -> Callable[[], Chosen]:
    """Return a function that describes the backend that the admin of a router chose."""
    local = settings.local
    engine = {"engine": local.engine, "options": local.options}
    options = digest_of({"url": local.url} if local.kind == "wyoming" else engine)

    def chosen() -> Chosen:
        is_local = router.mode == "local"
        return chosen_of(router, options=options, voice=local.voice if is_local else None)

    return chosen


def chosen_of(router: Router, *, options: str, voice: str | None) -> Chosen:
    """Return the backend that the admin of a router chose, as far as it is known now.

    Args:
        router: The router.
        options: As `Identity.options`, of its local backend.
        voice: Id of the voice of requests that name none; one that is missing is ignored.
    """
    status = router.status()
    name = status.mode.value
    options = options if name == "local" else ""
    health = getattr(status.backend(name), "health", None)
    missing = health.missing_voice if health is not None else None
    return Chosen(
        name=name,
        identity=_identity(status, name, options),
        options=options,
        default_voice=None if voice == missing else voice,
    )


def _identity(status: RouterStatus, name: str, options: str) -> Identity | None:
    from vieneu_core import __version__

    backend = status.backend(name)
    health = backend.health if backend is not None else None
    if health is None or not (health.engine and health.model):
        return None
    return Identity(
        engine=health.engine,
        model=health.model,
        version=health.version or __version__,
        options=options,
    )


def sentences_of(
    request: SynthesisRequest, reading: Reading
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the sentences of a request that is to be prepared, and what a backend gets of each.

    Raises:
        EmptyTextError: nothing in it can be spoken.
        TextTooLongError: it is too long for an announcement.
        InvalidRequestError: it comes in pieces.
    """
    text = request.text
    if not isinstance(text, str | tuple):
        raise InvalidRequestError("A text that comes in pieces cannot be prepared.")
    n_chars = len(text) if isinstance(text, str) else sum(map(len, text))
    if n_chars > MAX_CHARS:
        raise TextTooLongError(
            Translatable(
                "The text has {n_chars} characters; announcements of up to {max_chars} are stored.",
                n_chars=n_chars,
                max_chars=MAX_CHARS,
            )
        )
    return Reader(reading, speed=request.speed).by_sentence(text)


def language_of(request: SynthesisRequest) -> str:
    """Return the primary subtag of a request's language: a region chooses no other voice."""
    return request.language.partition("-")[0].lower()


def key_of(identity: Identity, voice: SpokenVoice, request: SynthesisRequest, sentence: str) -> str:
    """Return the key of a sentence of a request: a digest, from which no text can be read."""
    return digest_of(
        {
            "format": _KEY_FORMAT,
            "identity": astuple(identity),
            "voice": astuple(voice),
            "language": language_of(request),
            "speed": float(request.speed),
            "watermark": request.watermark,
            "sentences": [sentence],
        }
    )


def digest_of(values: Mapping[str, object]) -> str:
    """Return the digest of JSON values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
