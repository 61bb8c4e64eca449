"""Files of an engine, named by its options: found in the cache or downloaded."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vieneu_core.config.paths import cache_dir
from vieneu_core.engines.base import LoadProgress, OnLoad
from vieneu_core.engines.speech_lm.options import CodeOptions
from vieneu_core.errors import ModelLoadError
from vieneu_core.models.catalogue import VOICES_FILE, KnownModel, model_of, model_source
from vieneu_core.models.hub import Hub
from vieneu_core.models.source import ModelSource
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    from vieneu_core.voices.presets import Preset


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A language model on this machine."""

    path: Path
    source: ModelSource
    known: KnownModel | None
    """Its entry in the catalogue; None if it is another model."""


class ModelFiles:
    """Finds or downloads files for one engine.

    Args:
        options: Options of the engine.
        progress: Called with the progress of downloads.
    """

    def __init__(self, options: CodeOptions, progress: OnLoad) -> None:
        self._options = options
        self._progress = progress
        self._hub = Hub.of_environment(os.environ, cache_dir=options.cache, offline=options.offline)

    @property
    def codes_dir(self) -> Path:
        """Folder of the cached codes of clips."""
        return (self._options.cache or cache_dir(os.environ)) / "codes"

    def model(self) -> FoundModel:
        """Return the language model.

        Raises:
            ModelLoadError: it is not available.
        """
        source = model_source(self._options.model)
        return FoundModel(self._fetched(source), source, model_of(source))

    def file(self, named: str) -> Path:
        """Return another file or folder named in an option.

        Raises:
            ModelLoadError: it is not available.
        """
        return self._fetched(model_source(named))

    def presets(self, model: FoundModel) -> tuple[Preset, ...]:
        """Return the preset voices of a model.

        Raises:
            ModelLoadError: there are none, or their file is invalid.
        """
        from vieneu_core.voices.presets import read_presets

        if self._options.voices is not None:
            return read_presets(self._options.voices.expanduser())
        if model.source.path is None:
            return read_presets(self._fetched(_beside(model.source)))
        folder = model.path if model.path.is_dir() else model.path.parent
        path = folder / VOICES_FILE
        if not path.is_file():
            raise ModelLoadError(
                Translatable(
                    "The model {path} has no {voices_file} beside it.",
                    path=model.path,
                    voices_file=VOICES_FILE,
                ),
                remedy="Put it there, or name another in the option voices.",
            )
        return read_presets(path)

    def say(self, step: str) -> None:
        """Report the current step."""
        self._progress(LoadProgress(step))

    def _fetched(self, source: ModelSource) -> Path:
        known = model_of(source)
        licences = f" ({known.licences})" if known is not None else ""

        def report(step: str, done_bytes: int | None, total_bytes: int | None) -> None:
            self._progress(LoadProgress(step + licences, done_bytes, total_bytes))

        return self._hub.fetch(source, report)


def _beside(source: ModelSource) -> ModelSource:
    return replace(source, files=(VOICES_FILE,), sha256=None, name=None)
