"""The last known identity and default voices of each backend, in a file of the cache's folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vieneu_core.errors import VieneuError
from vieneu_core.files import PRIVATE, write_atomic
from vieneu_core.speech_cache.database import make_private, unusable
from vieneu_core.speech_cache.identity import Chosen, Identity

NAME = "last-known.json"
_FORMAT = 1
_MAX_BYTES = 1 << 16


class _Known(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    identity: Identity
    voices: dict[str, str] = Field(default_factory=dict)
    """Id of the default voice by language, as last heard."""


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    format: int = _FORMAT
    backends: dict[str, _Known] = Field(default_factory=dict)


class LastKnown:
    """Remembers them across processes. Blocking.

    Args:
        folder: The cache's, private.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._backends: dict[str, _Known] | None = None

    def identity(self, chosen: Chosen) -> Identity | None:
        """Return the identity of a backend: as it is now, else as it was with these options.

        Raises:
            ConfigurationError: a new one cannot be kept.
        """
        known = self._known(chosen.name)
        if chosen.identity is None:
            same = known is not None and known.identity.options == chosen.options
            return known.identity if known is not None and same else None
        if known is None or known.identity != chosen.identity:
            self._keep(chosen.name, _Known(identity=chosen.identity))
        return chosen.identity

    def default_voice(self, name: str, identity: Identity, language: str) -> str | None:
        """Return the voice that was last heard where none was named; None where none was yet."""
        known = self._known(name)
        if known is None or known.identity != identity:
            return None
        return known.voices.get(language)

    def learn_voice(self, name: str, identity: Identity, language: str, voice: str) -> None:
        """Remember the voice that was heard where none was named.

        Raises:
            ConfigurationError: it cannot be kept.
        """
        known = self._known(name)
        if known is None or known.identity != identity:
            return
        if known.voices.get(language) != voice:
            voices = known.voices | {language: voice}
            self._keep(name, known.model_copy(update={"voices": voices}))

    def forget(self) -> None:
        """Remove the file."""
        self._backends = None
        with suppress(OSError):
            (self._folder / NAME).unlink(missing_ok=True)

    def _known(self, name: str) -> _Known | None:
        if self._backends is None:
            self._backends = self._read()
        return self._backends.get(name)

    def _keep(self, name: str, known: _Known) -> None:
        self._backends = {**(self._backends or {}), **self._read(), name: known}
        content = _Content(backends=self._backends).model_dump_json()
        try:
            make_private(self._folder)
            write_atomic(self._folder / NAME, content, mode=PRIVATE, durable=False)
        except OSError as error:
            raise unusable(self._folder, error) from error

    def _read(self) -> dict[str, _Known]:
        """Return what is in the file; nothing where there is none, or it is damaged."""
        try:
            with (self._folder / NAME).open("rb") as file:
                content = _Content.model_validate_json(file.read(_MAX_BYTES))
        except (OSError, ValidationError, VieneuError):
            return {}
        return content.backends if content.format == _FORMAT else {}
