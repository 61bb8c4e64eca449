"""Lookup of an engine's factory, in the worker process."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points

from vieneu_core.engines.base import EngineFactory
from vieneu_core.errors import ModelLoadError
from vieneu_core.translatable import Translatable

ENTRY_POINT_GROUP = "vieneu_core.engines"


def find_factory(target: str) -> EngineFactory:
    """Return an engine's factory by its entry point's name, or as ``module:attribute``.

    Raises:
        ModelLoadError: there is no such factory.
    """
    if ":" in target:
        module, _, attribute = target.partition(":")
        try:
            factory: EngineFactory = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ModelLoadError(
                Translatable("There is no engine {target!r}: {error}.", target=target, error=error)
            ) from error
        return factory
    known = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    if target not in known:
        names = ", ".join(sorted(known)) or "none"
        raise ModelLoadError(
            Translatable(
                "There is no engine {target!r}. Installed: {names}.", target=target, names=names
            )
        )
    found: EngineFactory = known[target].load()
    return found
