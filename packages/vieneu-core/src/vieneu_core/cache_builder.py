"""Construction of the cache of finished speech from `Settings`."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from vieneu_core.arguments import expect, expect_optional, path_of
from vieneu_core.clock import Clock
from vieneu_core.config import Settings
from vieneu_core.config import cache_dir as users_cache_dir
from vieneu_core.config import voices_dir as users_voices_dir
from vieneu_core.config.paths import expanded, folder_or_default
from vieneu_core.errors import ConfigurationError, MissingExtraError
from vieneu_core.installation import has_module
from vieneu_core.router import Router
from vieneu_core.voices.catalogue import VoiceCatalogue

if TYPE_CHECKING:
    from vieneu_core.speech_cache import CachedBackend, SpeechCache


def build_cached(
    settings: Settings,
    router: Router,
    *,
    cache_dir: str | PathLike[str] | None = None,
    voices_dir: str | PathLike[str] | None = None,
    clock: Clock | None = None,
) -> CachedBackend | None:
    """Put the cache of finished speech before a router; None where the settings want none.

    Args:
        settings: Those that the router was built from.
        router: Belongs to the result, which closes it.
        cache_dir: Folder in which the cache's own folder is, unless the settings name that; None is
            the one of the command ``vieneu``.
        voices_dir: As for `build_router`.
        clock: Time.

    Raises:
        MissingExtraError: the extra ``cache`` is not installed.
        ConfigurationError: an argument is of the wrong type.
    """
    expect("settings", settings, Settings, "Settings, such as load_settings()")
    expect("router", router, Router, "a Router")
    expect_optional("clock", clock, Clock, "a Clock")
    if not settings.cache.enabled:
        return None
    cache = build_cache(settings, cache_dir=cache_dir, voices_dir=voices_dir, clock=clock)
    from vieneu_core.speech_cache import CachedBackend, chosen_by

    return CachedBackend(router, cache, chosen=chosen_by(router, settings))


def build_cache(
    settings: Settings,
    *,
    cache_dir: str | PathLike[str] | None = None,
    voices_dir: str | PathLike[str] | None = None,
    clock: Clock | None = None,
    on_lookup: Callable[[float | None], None] | None = None,
) -> SpeechCache:
    """Build the cache of finished speech, whether it is enabled or not; nothing is opened yet.

    Arguments and errors as of `build_cached`; `on_lookup` as of `SpeechCache`.
    """
    if not has_module("diskcache"):
        raise MissingExtraError("The speech cache", "cache")
    from vieneu_core.speech_cache import SpeechCache

    return SpeechCache(
        cache_folder(settings, cache_dir=cache_dir),
        max_bytes=settings.cache.max_bytes,
        voices=VoiceCatalogue(
            folder_or_default("voices_dir", voices_dir, default=users_voices_dir)
        ),
        clock=clock,
        on_lookup=on_lookup,
    )


def cache_folder(settings: Settings, *, cache_dir: str | PathLike[str] | None = None) -> Path:
    """Return the folder of the cache of finished speech; see `build_cached`."""
    if settings.cache.folder is not None:
        return expanded(path_of("cache.folder", settings.cache.folder, error=ConfigurationError))
    return folder_or_default("cache_dir", cache_dir, default=users_cache_dir) / "speech"
