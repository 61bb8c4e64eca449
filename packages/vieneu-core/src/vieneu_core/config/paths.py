"""Paths of settings and state (XDG Base Directory Specification 0.8)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path

from vieneu_core.arguments import path_of
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable


def _base(environ: Mapping[str, str], variable: str, default: str) -> Path:
    stated = environ.get(variable, "")
    if stated.startswith("/"):  # by the specification, relative paths are ignored
        return Path(stated)
    return Path(environ.get("HOME") or expanded(Path("~"))) / default


def settings_path(environ: Mapping[str, str]) -> Path:
    """Return the settings file: ``$VIENEU_CONFIG``, else ``config.yaml`` in the XDG folder."""
    stated = environ.get("VIENEU_CONFIG")
    if stated:
        return expanded(Path(stated))
    return _base(environ, "XDG_CONFIG_HOME", ".config") / "vieneu" / "config.yaml"


def expanded(path: Path) -> Path:
    """Return a path with its ``~`` replaced.

    Raises:
        ConfigurationError: there is no such user, or it has no home folder.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ConfigurationError(
            Translatable("The home folder in {path} is unknown.", path=path),
            remedy="Set HOME.",
        ) from error


def state_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of state that the program writes itself."""
    return _base(environ, "XDG_STATE_HOME", ".local/state") / "vieneu"


def voices_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of the custom voices."""
    return _base(environ, "XDG_DATA_HOME", ".local/share") / "vieneu" / "voices"


def piper_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of the user's own voices for Piper."""
    return _base(environ, "XDG_DATA_HOME", ".local/share") / "vieneu" / "piper"


def cache_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of data that can be created again."""
    return _base(environ, "XDG_CACHE_HOME", ".cache") / "vieneu"


def folder_or_default(
    name: str,
    path: str | PathLike[str] | None,
    *,
    default: Callable[[Mapping[str, str]], Path],
) -> Path:
    """Return a folder that an argument of this name gives; None means the user's own.

    Raises:
        ConfigurationError: it is not a path.
    """
    if path is None:
        return default(os.environ)
    return path_of(name, path, error=ConfigurationError)
