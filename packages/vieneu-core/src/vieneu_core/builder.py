"""Construction of a `Router` from `Settings`; the only module that maps settings to classes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from vieneu_core.arguments import expect, expect_optional, path_of
from vieneu_core.backends.base import Backend
from vieneu_core.backends.local import LocalBackend
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.config import Settings
from vieneu_core.config import state_dir as users_state_dir
from vieneu_core.config import voices_dir as users_voices_dir
from vieneu_core.config.settings import EMBEDDED_ENGINE
from vieneu_core.errors import ConfigurationError
from vieneu_core.installation import has_module
from vieneu_core.router import LAST_RESORT, Router, RouterPolicy, TunnelQuota
from vieneu_core.voices.catalogue import VoiceCatalogue
from vieneu_core.worker.spec import EngineSpec, RestartPolicy

if TYPE_CHECKING:
    import aiohttp

AT_ONCE = RestartPolicy(first_delay_s=0.1, max_delay_s=0.5, max_failed_starts=100)
"""For the embedded voice, which starts in half a second: after a crash it is back within one."""


def build_router(
    settings: Settings,
    *,
    state_dir: str | PathLike[str] | None = None,
    voices_dir: str | PathLike[str] | None = None,
    clock: Clock | None = None,
    session: aiohttp.ClientSession | None = None,
) -> Router:
    """Build the router that these settings describe; nothing is loaded or connected yet.

    Args:
        settings: The settings.
        state_dir: Folder that stores the used quota of the tunnel, if a remote is enabled;
            None means the one of the command ``vieneu``.
        voices_dir: Folder of the custom voices; None means the one of ``vieneu``.
        clock: Clock of all parts.
        session: HTTP session for the remote server, which is never closed; None opens an own one.

    Raises:
        ConfigurationError: the remote's URL or token is invalid, or an argument has the wrong
            type.
    """
    expect("settings", settings, Settings, "Settings, such as load_settings()")
    expect_optional("clock", clock, Clock, "a Clock")
    clock = clock or SystemClock()
    quota = TunnelQuota(
        _folder("state_dir", state_dir, default=users_state_dir) / "budget.json",
        clock=clock,
        monthly_requests=settings.quota.monthly_requests,
        monthly_bytes=settings.quota.monthly_bytes,
    )
    catalogue = VoiceCatalogue(_folder("voices_dir", voices_dir, default=users_voices_dir))
    return Router(
        local=build_local(settings, voices=catalogue, clock=clock),
        remote=_remote(settings, clock, session, quota, catalogue),
        last_resort=_last_resort(settings, clock),
        mode=settings.mode,
        policy=RouterPolicy(
            fallback=settings.fallback.order,
            fallback_enabled=settings.fallback.enabled,
            health_check_interval_s=settings.colab.health_check_interval,
            fallback_voice=settings.local.voice,
        ),
        clock=clock,
        quota=quota if settings.colab.enabled else None,
    )


def _folder(
    name: str,
    path: str | PathLike[str] | None,
    *,
    default: Callable[[Mapping[str, str]], Path],
) -> Path:
    if path is None:
        return default(os.environ)
    return path_of(name, path, error=ConfigurationError)


def build_local(
    settings: Settings, *, voices: VoiceCatalogue | None = None, clock: Clock | None = None
) -> LocalBackend:
    """Build the local backend that these settings describe; nothing is loaded yet.

    Args:
        settings: The settings.
        voices: Custom voices; None means none.
        clock: Clock of the backend.
    """
    return LocalBackend(
        EngineSpec(settings.local.engine, settings.local.options),
        clock=clock,
        voices=voices,
        default_voice=settings.local.voice,
        watermark_required=settings.local.watermark == "required",
    )


def _remote(
    settings: Settings,
    clock: Clock,
    session: aiohttp.ClientSession | None,
    quota: TunnelQuota,
    voices: VoiceCatalogue,
) -> Backend | None:
    colab = settings.colab
    if not colab.enabled:
        return None
    from vieneu_core.backends.remote import RemoteBackend, RemoteTimeouts

    return RemoteBackend(
        colab.endpoint_url,
        colab.auth_token,
        session=session,
        timeouts=RemoteTimeouts(total_s=colab.timeout_seconds),
        clock=clock,
        on_traffic=quota.record,
        voices=voices,
    )


def _last_resort(settings: Settings, clock: Clock) -> Backend | None:
    wanted = settings.fallback.enabled and LAST_RESORT in settings.fallback.order
    if not wanted or not has_module("espeakng_loader"):
        return None
    return LocalBackend(
        EMBEDDED_ENGINE,
        name=LAST_RESORT,
        clock=clock,
        restart=AT_ONCE,
        watermark_required=settings.local.watermark == "required",
    )
