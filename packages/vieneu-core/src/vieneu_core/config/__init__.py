"""Settings: one YAML file, overridden by two environment variables.

The whole file is read and checked; an invalid one is reported with file, line and field, and is
never overwritten. Writes change only the given keys, and are atomic and durable.
"""

from __future__ import annotations

from vieneu_core.config.overwriting import whole, write_whole
from vieneu_core.config.paths import cache_dir, settings_path, state_dir, voices_dir
from vieneu_core.config.settings import (
    AUTH_TOKEN_VARIABLE,
    EMBEDDED_ENGINE,
    ENDPOINT_URL_VARIABLE,
    CacheSettings,
    ColabSettings,
    FallbackSettings,
    LocalSettings,
    PauseSettings,
    QuotaSettings,
    Settings,
    TextSettings,
    environment_overrides,
)
from vieneu_core.config.store import load_settings, save_settings
from vieneu_core.config.tunnel_kind import NGROK_AUTHTOKEN, AccountSecret, TunnelKind

__all__ = [
    "AUTH_TOKEN_VARIABLE",
    "EMBEDDED_ENGINE",
    "ENDPOINT_URL_VARIABLE",
    "NGROK_AUTHTOKEN",
    "AccountSecret",
    "CacheSettings",
    "ColabSettings",
    "FallbackSettings",
    "LocalSettings",
    "PauseSettings",
    "QuotaSettings",
    "Settings",
    "TextSettings",
    "TunnelKind",
    "cache_dir",
    "environment_overrides",
    "load_settings",
    "save_settings",
    "settings_path",
    "state_dir",
    "voices_dir",
    "whole",
    "write_whole",
]
