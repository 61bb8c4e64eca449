"""Diagnosis of this machine: what it can run, and what is missing for the rest.

A finding contains a fact and, if something can be done, a command. None contains a secret.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import stat
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vieneu_core.audio.watermark import NEEDED, can_watermark
from vieneu_core.config import (
    AUTH_TOKEN_VARIABLE,
    ENDPOINT_URL_VARIABLE,
    Settings,
    load_settings,
)
from vieneu_core.engines.auto import speed_record_path
from vieneu_core.engines.import_check import import_failure
from vieneu_core.engines.piper.voice_files import present_voices
from vieneu_core.engines.registry import (
    ENGINES,
    ESPEAK,
    MODEL_ENGINES,
    PIPER,
    EngineNeeds,
    SpeedRecord,
    has_nvidia_gpu,
    needs_of,
)
from vieneu_core.engines.sano.voice_state import VoiceState, voice_state
from vieneu_core.errors import BackendError, ConfigurationError, ModelLoadError, VieneuError
from vieneu_core.installation import extra_command, has_module, library_command, version_of
from vieneu_core.models.catalogue import DEFAULT_PIPER
from vieneu_core.players import PLAYERS
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice
from vieneu_core.voices.catalogue import VoiceCatalogue


class Level(StrEnum):
    """Severity of a finding."""

    OK = "ok"
    NOTE = "note"
    """Works, or is not needed, but worth mentioning."""
    PROBLEM = "problem"


class Topic(StrEnum):
    """Subject of a finding."""

    PYTHON = "python"
    CORE = "core"
    EMBEDDED_VOICE = "embedded_voice"
    NEURAL_VOICE = "neural_voice"
    AUDIO_FILES = "audio_files"
    PLAYER = "player"
    HARDWARE = "hardware"
    WATERMARK = "watermark"
    ENGINE = "engine"
    SETTINGS = "settings"
    ENVIRONMENT = "environment"
    LOCAL_ENGINE = "local_engine"
    VOICE = "voice"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Result of one check."""

    topic: Topic
    level: Level
    fact: str = ""
    """Result: versions, names, paths."""
    command: str = ""
    """Command that fixes or completes it."""
    error: VieneuError | None = None
    """Error that explains why it does not work."""


def examine_installation(which: Mapping[str, str | None] | None = None) -> tuple[Finding, ...]:
    """Check Python and the installed packages; ``which`` replaces the search in PATH in tests."""
    paths = which if which is not None else {name: shutil.which(name) for name in PLAYERS}
    espeak = needs_of(ESPEAK)
    return (
        Finding(
            topic=Topic.PYTHON,
            level=Level.OK,
            fact=f"{platform.python_version()}, {platform.system()} {platform.machine()}",
        ),
        Finding(topic=Topic.CORE, level=Level.OK, fact=version_of("vieneu-core")),
        _package(Topic.EMBEDDED_VOICE, espeak.modules[0], "espeakng-loader", espeak.extra),
        _neural_voice(voice_state(os.environ)),
        _package(Topic.AUDIO_FILES, "av", "av", ""),
        _player([name for name in PLAYERS if paths.get(name)]),
        _hardware(),
    )


def examine_engines() -> tuple[Finding, ...]:
    """Import the modules that each engine and the watermark need, each in its own process.

    Blocking, at most for the timeout of `import_failure`.
    """
    wanted = [each for each in ENGINES if each.engine in MODEL_ENGINES]  # others: findings above
    with ThreadPoolExecutor(len(wanted) + 1) as side_by_side:
        watermark = side_by_side.submit(examine_watermark)
        return (*side_by_side.map(examine_engine, wanted), watermark.result())


def examine_settings(
    path: Path, environ: Mapping[str, str], *, must_exist: bool = False
) -> tuple[Settings | None, tuple[Finding, ...]]:
    """Check the settings file; blocking. Also returns the settings, if they are valid."""
    findings = _environment(environ)
    try:
        settings = load_settings(path, environ, must_exist=must_exist)
    except ConfigurationError as err:
        bad = Finding(topic=Topic.SETTINGS, level=Level.PROBLEM, fact=str(path), error=err)
        return None, (bad, *findings)
    return settings, (_file(path, holds_token=_holds_token(path)), *findings)


async def examine_backends(
    settings: Settings, *, voices: VoiceCatalogue | None = None
) -> tuple[Finding, ...]:
    """Load the local engine with its voices, and check the health of the remote server.

    Args:
        settings: Settings with the engine, voice and server.
        voices: Custom voices; None means none.
    """
    return (*await _local(settings, voices), await _remote(settings))


def _package(topic: Topic, module: str, package: str, extra: str) -> Finding:
    if has_module(module):
        return Finding(topic=topic, level=Level.OK, fact=version_of(package))
    return Finding(topic=topic, level=Level.PROBLEM, fact=package, command=extra_command(extra))


def _neural_voice(state: VoiceState) -> Finding:
    level = Level.NOTE if state.command else Level.OK
    error = ModelLoadError(state.failure, remedy="") if state.failure else None
    return Finding(
        topic=Topic.NEURAL_VOICE, level=level, fact=state.fact, command=state.command, error=error
    )


def _player(found: Sequence[str]) -> Finding:
    if found:
        return Finding(topic=Topic.PLAYER, level=Level.OK, fact=", ".join(found))
    return Finding(topic=Topic.PLAYER, level=Level.NOTE, command="sudo apt install alsa-utils")


def _hardware() -> Finding:
    cores = os.cpu_count() or 1
    gpu = ", NVIDIA GPU" if has_nvidia_gpu() else ""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Finding(
        topic=Topic.HARDWARE, level=Level.OK, fact=f"{cores} CPU, {pages * size / 1e9:.0f} GB{gpu}"
    )


def examine_engine(needs: EngineNeeds) -> Finding:
    """Check whether an engine is usable, and report its measured speed; blocking."""
    if missing := (*needs.missing(), *map(str, needs.wrong_versions())):
        return Finding(
            topic=Topic.ENGINE,
            level=Level.NOTE,
            fact=f"{needs.engine} (extra {needs.extra_here}: {', '.join(missing)})",
            command=extra_command(needs.extra_here),
        )
    if needs.engine == PIPER and not present_voices():
        error = ModelLoadError("No voice of Piper is on this machine.")
        use = f"vieneu models use {DEFAULT_PIPER}"
        return Finding(topic=Topic.ENGINE, level=Level.NOTE, fact=PIPER, error=error, command=use)
    speeds = [
        f"{key.removeprefix(needs.engine).strip()}: RTF {factor:.2f}"
        for key, factor in SpeedRecord(speed_record_path()).all().items()
        if key.startswith(f"{needs.engine} ")
    ]
    return _imported(Topic.ENGINE, needs.imported, "; ".join((needs.engine, *speeds)))


def _imported(topic: Topic, modules: Sequence[str], fact: str) -> Finding:
    failure = import_failure(modules)
    if not failure:
        return Finding(topic=topic, level=Level.OK, fact=fact)
    error = ModelLoadError(
        Translatable("It is installed, but it cannot be imported: {failure}.", failure=failure),
        remedy="Install what the message names, or the package that fails once more.",
    )
    command = library_command(failure)
    return Finding(topic=topic, level=Level.NOTE, fact=fact, error=error, command=command)


def examine_watermark() -> Finding:
    """Check whether audio can be watermarked; blocking, as `examine_engines`."""
    if can_watermark():
        return _imported(Topic.WATERMARK, NEEDED, version_of("resemble-perth"))
    fact, command = "resemble-perth", extra_command("watermark")
    return Finding(topic=Topic.WATERMARK, level=Level.NOTE, fact=fact, command=command)


def _holds_token(path: Path) -> bool:
    """Return whether the file itself contains the token, regardless of the environment."""
    try:
        return bool(load_settings(path, {}).colab.auth_token.get_secret_value())
    except ConfigurationError:  # valid only together with the environment
        return True


def _file(path: Path, *, holds_token: bool) -> Finding:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return Finding(topic=Topic.SETTINGS, level=Level.NOTE, fact=str(path))
    if mode & 0o077 and holds_token:
        return Finding(
            topic=Topic.SETTINGS,
            level=Level.PROBLEM,
            fact=f"{path}, {mode:04o}",
            command=f"chmod 600 {shlex.quote(str(path))}",
        )
    return Finding(topic=Topic.SETTINGS, level=Level.OK, fact=f"{path}, {mode:04o}")


def _environment(environ: Mapping[str, str]) -> list[Finding]:
    names = ("VIENEU_CONFIG", ENDPOINT_URL_VARIABLE, AUTH_TOKEN_VARIABLE)
    fact = ", ".join(name for name in names if environ.get(name, "").strip())
    return [Finding(topic=Topic.ENVIRONMENT, level=Level.NOTE, fact=fact)] if fact else []


async def _local(settings: Settings, added: VoiceCatalogue | None) -> tuple[Finding, ...]:
    from vieneu_core.builder import build_local

    local = settings.local
    name = local.url if local.kind == "wyoming" else local.engine
    backend = build_local(settings, voices=added)
    try:
        await backend.load()
        health, voices = await backend.health(), await backend.voices()
    except (BackendError, ConfigurationError) as err:
        return (Finding(topic=Topic.LOCAL_ENGINE, level=Level.PROBLEM, fact=name, error=err),)
    finally:
        await backend.aclose()
    where = f", {health.accelerator}" if health.accelerator else ""
    fact = f"{health.engine} ({health.model}){where}"
    loaded = Finding(topic=Topic.LOCAL_ENGINE, level=Level.OK, fact=fact)
    return (loaded, *_voice(settings.local.voice, health.missing_voice, voices))


def _voice(wanted: str | None, missing: str | None, voices: Sequence[Voice]) -> tuple[Finding, ...]:
    """Check that the voice of the settings exists; no finding if they name none."""
    if wanted is None:
        return ()
    if missing is None:
        return (Finding(topic=Topic.VOICE, level=Level.OK, fact=wanted),)
    fact, offered = f"local.voice: {missing}", ", ".join(voice.id for voice in voices)
    return (Finding(topic=Topic.VOICE, level=Level.PROBLEM, fact=fact, command=offered),)


async def _remote(settings: Settings) -> Finding:
    if not settings.colab.enabled:
        url = settings.colab.endpoint_url
        return Finding(
            topic=Topic.REMOTE,
            level=Level.NOTE,
            fact="colab.enabled: false" if url else "",
            command=f"vieneu connect {url or 'URL'}",
        )
    from vieneu_core.backends.remote import RemoteBackend

    url = settings.colab.endpoint_url
    try:
        backend = RemoteBackend(url, settings.colab.auth_token)
    except ConfigurationError as err:
        return Finding(topic=Topic.REMOTE, level=Level.PROBLEM, error=err)
    try:
        health = await backend.health()
    except BackendError as err:
        return Finding(topic=Topic.REMOTE, level=Level.PROBLEM, fact=url, error=err)
    finally:
        await backend.aclose()
    return Finding(
        topic=Topic.REMOTE,
        level=Level.OK,
        fact=f"{url}, {health.engine} ({health.model}), {health.latency_ms or 0:.0f} ms",
    )
