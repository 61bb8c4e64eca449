"""Construction of a `Router` from `Settings`; the only module that maps settings to classes."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

from vieneu_core.arguments import expect, expect_optional
from vieneu_core.backends.base import Backend
from vieneu_core.backends.local import LocalBackend
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.config import Settings
from vieneu_core.config import state_dir as users_state_dir
from vieneu_core.config import voices_dir as users_voices_dir
from vieneu_core.config.paths import folder_or_default
from vieneu_core.config.settings import EMBEDDED_ENGINE
from vieneu_core.engines.registry import is_installed
from vieneu_core.router import LAST_RESORT, Mode, Router, RouterPolicy, SlowEngine, TunnelQuota
from vieneu_core.text.watched_dictionary_file import DictionaryFile
from vieneu_core.voices.catalogue import VoiceCatalogue
from vieneu_core.worker.spec import EngineSpec, RestartPolicy

if TYPE_CHECKING:
    import aiohttp

AT_ONCE = RestartPolicy(first_delay_s=0.1, max_delay_s=0.5, max_failed_starts=100)
"""For the embedded voice, which starts in half a second: after a crash it is back within one."""


class RouterBuilder:
    """Builds a router and, for settings that change while it runs, what to replace in it.

    All that settings say of the router is its mode, `policy`, `set_quota`, and its backends:
    `replacements`.

    Args:
        settings: State the quota until `set_quota`.
        state_dir: Folder in which the use of the tunnel's quota is kept, where a remote is enabled;
            None is the one of the command ``vieneu``.
        voices_dir: Folder of the voices that were added; None is the one of ``vieneu``.
        clock: Time, for all parts alike.
        session: Used for the remote server where given, and never closed.
        last_resort_on_demand: Whether to start the last resort when it is needed, or after
            `STANDBY_S`, where the selected backend is the embedded voice as well. For a program
            that speaks once and ends.

    Raises:
        ConfigurationError: an argument is of the wrong type.
    """

    def __init__(  # noqa: PLR0913 - each but the first has a default
        self,
        settings: Settings,
        *,
        state_dir: str | PathLike[str] | None = None,
        voices_dir: str | PathLike[str] | None = None,
        clock: Clock | None = None,
        session: aiohttp.ClientSession | None = None,
        last_resort_on_demand: bool = False,
    ) -> None:
        expect("settings", settings, Settings, "Settings, such as load_settings()")
        expect_optional("clock", clock, Clock, "a Clock")
        expect("last_resort_on_demand", last_resort_on_demand, bool, "True or False")
        self._clock = clock or SystemClock()
        self._session = session
        self._last_resort_on_demand = last_resort_on_demand
        self.state_dir = folder_or_default("state_dir", state_dir, default=users_state_dir)
        self.quota = TunnelQuota(
            self.state_dir / "budget.json",
            clock=self._clock,
            monthly_requests=settings.quota.monthly_requests,
            monthly_bytes=settings.quota.monthly_bytes,
        )
        self.voices = VoiceCatalogue(
            folder_or_default("voices_dir", voices_dir, default=users_voices_dir)
        )

    def router(self, settings: Settings) -> Router:
        """Build a router; nothing is loaded or connected yet.

        Raises:
            ConfigurationError: the remote's URL or token cannot be used.
        """
        return Router(
            local=self.local(settings),
            remote=self.remote(settings),
            last_resort=self.last_resort(settings),
            mode=settings.mode,
            policy=self.policy(settings),
            clock=self._clock,
            quota=self.quota,  # a remote may be set later
            dictionary=DictionaryFile.named(settings.text.dictionary),
        )

    def policy(self, settings: Settings) -> RouterPolicy:
        """Return the parameters of a router."""
        return RouterPolicy(
            fallback=settings.fallback.order,
            fallback_enabled=settings.fallback.enabled,
            health_check_interval_s=settings.colab.health_check_interval,
            fallback_voice=settings.local.voice,
            slow_engine=SlowEngine(settings.local.slow_engine),
            pauses=settings.text.pauses.pauses(),
        )

    def set_quota(self, settings: Settings) -> None:
        """Let the quota of other settings hold, for all routers of this builder."""
        quota = settings.quota
        self.quota.set_limits(
            monthly_requests=quota.monthly_requests, monthly_bytes=quota.monthly_bytes
        )

    def replacements(self, old: Settings, new: Settings) -> dict[str, Backend | None]:
        """Build the backends that differ between two settings, by name; None is to be removed.

        Raises:
            ConfigurationError: the remote's URL or token cannot be used.
        """
        replaced: dict[str, Backend | None] = {}
        if _local_arguments(old) != _local_arguments(new):
            replaced[Mode.LOCAL.value] = self.local(new)
        if _remote_arguments(old) != _remote_arguments(new):
            replaced[Mode.REMOTE.value] = self.remote(new)
        if _last_resort_arguments(old) != _last_resort_arguments(new):
            replaced[LAST_RESORT] = self.last_resort(new)
        return replaced

    def local(self, settings: Settings) -> Backend:
        """Build the backend at home."""
        return build_local(settings, voices=self.voices, clock=self._clock)

    def last_resort(self, settings: Settings) -> LocalBackend | None:
        """Build the embedded voice; None where it is not wanted, or not installed."""
        arguments = _last_resort_arguments(settings)
        if arguments is None or not is_installed(EMBEDDED_ENGINE):
            return None
        arguments |= {"name": LAST_RESORT, "clock": self._clock, "restart": AT_ONCE}
        on_demand = self._last_resort_on_demand and _speaks_with_embedded_voice(settings)
        return LocalBackend(EMBEDDED_ENGINE, **arguments, on_demand=on_demand)

    def remote(self, settings: Settings) -> Backend | None:
        """Build the backend of the remote server; None where none is enabled.

        Raises:
            ConfigurationError: its URL or token cannot be used.
        """
        arguments = _remote_arguments(settings)
        if arguments is None:
            return None
        from vieneu_core.backends.remote import RemoteBackend

        return RemoteBackend(
            **arguments,
            session=self._session,
            clock=self._clock,
            on_traffic=self.quota.record,
            voices=self.voices,
        )


def build_router(  # noqa: PLR0913 - each but the first has a default
    settings: Settings,
    *,
    state_dir: str | PathLike[str] | None = None,
    voices_dir: str | PathLike[str] | None = None,
    clock: Clock | None = None,
    session: aiohttp.ClientSession | None = None,
    last_resort_on_demand: bool = False,
) -> Router:
    """Build the router that these settings describe; nothing is loaded or connected yet.

    The arguments are those of `RouterBuilder`.

    Raises:
        ConfigurationError: the remote's URL or token is invalid, or an argument has the wrong
            type.
    """
    builder = RouterBuilder(
        settings,
        state_dir=state_dir,
        voices_dir=voices_dir,
        clock=clock,
        session=session,
        last_resort_on_demand=last_resort_on_demand,
    )
    return builder.router(settings)


def build_local(
    settings: Settings, *, voices: VoiceCatalogue | None = None, clock: Clock | None = None
) -> Backend:
    """Build the local backend that these settings describe; nothing is loaded yet.

    Args:
        settings: The settings.
        voices: Custom voices; None means none. A Wyoming server cannot speak with them.
        clock: Clock of the backend.
    """
    arguments = _local_arguments(settings)
    if settings.local.kind == "wyoming":
        from vieneu_core.backends.wyoming import WyomingBackend

        return WyomingBackend(**arguments, clock=clock)
    return LocalBackend(**arguments, clock=clock, voices=voices)


# What settings say of a backend: it is built from that, and replaced where that differs.


def _local_arguments(settings: Settings) -> dict[str, Any]:
    local = settings.local
    return {
        **(
            {"url": local.url}
            if local.kind == "wyoming"
            else {"engine": EngineSpec(local.engine, local.options)}
        ),
        "default_voice": local.voice,
        "watermark_required": _watermark_required(settings),
    }


def _remote_arguments(settings: Settings) -> dict[str, Any] | None:
    colab = settings.colab
    if not colab.enabled:
        return None
    from vieneu_core.backends.remote import RemoteTimeouts

    return {
        "endpoint_url": colab.endpoint_url,
        "auth_token": colab.auth_token,
        "timeouts": RemoteTimeouts(total_s=colab.timeout_seconds),
    }


def _speaks_with_embedded_voice(settings: Settings) -> bool:
    local = settings.local
    selected = settings.mode == "local" and local.kind == "engine"
    return selected and local.engine == EMBEDDED_ENGINE


def _last_resort_arguments(settings: Settings) -> dict[str, Any] | None:
    if not settings.fallback.enabled or LAST_RESORT not in settings.fallback.order:
        return None
    return {"watermark_required": _watermark_required(settings)}


def _watermark_required(settings: Settings) -> bool:
    return settings.local.watermark == "required"
