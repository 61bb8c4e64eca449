"""Assembly of a relay: settings file and state folder to the parts of its app."""

from __future__ import annotations

import os
from pathlib import Path

from vieneu_colab_server.app import Companion
from vieneu_colab_server.cli import TOKEN_FILE_VARIABLE, TOKEN_VARIABLE
from vieneu_colab_server.relay.administration import Administration
from vieneu_colab_server.relay.app import RelayParts, WyomingOptions
from vieneu_colab_server.relay.login import AdminAccount
from vieneu_colab_server.relay.metrics.tracing import tracing_from_environment
from vieneu_colab_server.relay.speak.ended_sessions import EndedSessions
from vieneu_colab_server.tokens.file import TokenNotKeptError, write_token_file
from vieneu_core.builder import RouterBuilder
from vieneu_core.clock import SystemClock
from vieneu_core.config import load_settings
from vieneu_core.config.paths import settings_path
from vieneu_core.credentials import new_auth_token
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable

TOKEN_FILE = "relay-token"  # noqa: S105 - a file name
ACCOUNT_FILE = "relay-admin.json"
ENDED_SESSIONS_FILE = "ended-sessions.json"
JOBS_FOLDER = "jobs"


def relay_parts(
    folder: Path,
    config: Path | None,
    *,
    wyoming: WyomingOptions | None = None,
    companions: tuple[Companion, ...] = (),
) -> RelayParts:
    """Return the parts of a relay; its admin account is not opened yet.

    Args:
        folder: What the relay keeps.
        config: The settings file; None means the usual one.
        wyoming: Where Wyoming clients are served.
        companions: What runs beside the relay.

    Raises:
        ConfigurationError: the settings cannot be used.
    """
    path = _settings_file(config)
    settings = load_settings(path)
    builder = RouterBuilder(settings, state_dir=folder)
    return RelayParts(
        administration=Administration(builder.router(settings), builder, settings, path),
        account=AdminAccount(folder / ACCOUNT_FILE, clock=SystemClock()),
        jobs_folder=folder / JOBS_FOLDER,
        ended_sessions=EndedSessions(folder / ENDED_SESSIONS_FILE, SystemClock()),
        wyoming=wyoming,
        tracing=tracing_from_environment(os.environ),
        companions=companions,
    )


def _settings_file(config: Path | None) -> Path:
    """Return the settings file; it is made by the first change that is kept.

    Raises:
        ConfigurationError: its folder does not exist.
    """
    path = config or settings_path(os.environ)
    if config is not None and not path.parent.is_dir():
        raise ConfigurationError(
            Translatable("The folder of {path} does not exist.", path=path),
            remedy="Correct --config, or create the folder.",
        )
    return path


def relay_token_file(folder: Path, *, remedy: str = "Name another one: --state") -> Path | None:
    """Return the file of the token for speech, made where it is missing.

    None where a variable of vieneu-server states the token.

    Args:
        folder: Where the relay keeps it.
        remedy: What to do if the folder cannot be written.

    Raises:
        ConfigurationError: it cannot be written.
    """
    if os.environ.get(TOKEN_VARIABLE, "").strip() or os.environ.get(TOKEN_FILE_VARIABLE):
        return None
    path = folder / TOKEN_FILE
    if not path.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_token_file(path, new_auth_token())
        except (OSError, TokenNotKeptError) as error:
            raise ConfigurationError(
                Translatable("The folder {folder} cannot be written.", folder=folder),
                remedy=remedy,
            ) from error
    return path
