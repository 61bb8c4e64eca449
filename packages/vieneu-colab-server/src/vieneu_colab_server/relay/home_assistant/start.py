"""Start of the app: its options and surroundings to a running relay that Home Assistant knows."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import typer
from pydantic import SecretStr

from vieneu_colab_server import __version__
from vieneu_colab_server.cli import make_settings as server_settings
from vieneu_colab_server.exit_codes import exiting_on_failure
from vieneu_colab_server.launch import serve_app
from vieneu_colab_server.relay.app import create_relay_app
from vieneu_colab_server.relay.home_assistant.app_options import OPTIONS_FILE, read_options
from vieneu_colab_server.relay.home_assistant.app_user import DISK_REMEDY, become, own_folder
from vieneu_colab_server.relay.home_assistant.supervisor import (
    SUPERVISOR_URL,
    SupervisorAccess,
    SupervisorDiscovery,
)
from vieneu_colab_server.relay.ingress import INGRESS_PORT, Ingress
from vieneu_colab_server.relay.relay_parts import relay_parts, relay_token_file
from vieneu_core.clock import SystemClock
from vieneu_core.errors import ConfigurationError

_LOGGER = logging.getLogger(__name__)
_FOLDER = "vieneu"
_CONFIG = "config.yaml"
_STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSurroundings:
    """Where the app runs."""

    data: Path
    """Folder that Supervisor keeps for the app, with its options."""
    user: str
    """User who runs the relay; empty: the one of this process."""
    ingress_port: int
    supervisor: SupervisorAccess | None
    """None: without Supervisor nothing is discovered."""

    @classmethod
    def taken_from(cls, environ: MutableMapping[str, str]) -> Self:
        """Read the environment. The token leaves it, so that no other process inherits it.

        Raises:
            ConfigurationError: the port is no number.
        """
        tokens = [environ.pop(name, "") for name in ("SUPERVISOR_TOKEN", "HASSIO_TOKEN")]
        token = SecretStr(next(filter(None, tokens), ""))
        url = environ.get("VIENEU_APP_SUPERVISOR", SUPERVISOR_URL)
        port = environ.get("VIENEU_APP_INGRESS_PORT", str(INGRESS_PORT))
        if not port.isdecimal():
            raise ConfigurationError(
                "VIENEU_APP_INGRESS_PORT is no port.", remedy="Leave it out: the default is 8099."
            )
        return cls(
            data=Path(environ.get("VIENEU_APP_DATA", "/data")),
            user=environ.get("VIENEU_APP_USER", ""),
            ingress_port=int(port),
            supervisor=SupervisorAccess(token=token, url=url) if token.get_secret_value() else None,
        )


def run() -> None:
    """Run the app until a signal comes, and exit."""
    with exiting_on_failure():
        _serve(AppSurroundings.taken_from(os.environ))


def _serve(given: AppSurroundings) -> None:
    options = read_options(given.data / OPTIONS_FILE)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    folder = given.data / _FOLDER
    own_folder(folder, given.user)
    if given.user:
        become(given.user)
    server, _ = server_settings({}, relay_token_file(folder / _STATE, remedy=DISK_REMEDY))
    parts = relay_parts(folder / _STATE, folder / _CONFIG)
    parts.account.open()  # the admin comes by ingress, and may choose a password there
    if given.supervisor is None:
        _LOGGER.warning("There is no SUPERVISOR_TOKEN: Home Assistant does not discover this app.")
    else:
        clock = SystemClock()
        discovery = SupervisorDiscovery(given.supervisor, port=server.port, clock=clock)
        parts = replace(parts, companions=(discovery.running,))
    parts = replace(parts, ingress=Ingress(port=given.ingress_port))
    serve_app(create_relay_app(server, parts), server, _greet, more_ports=(given.ingress_port,))


def _greet(url: str) -> None:
    typer.echo(f"VieNeu Relay {__version__}. Listening on {url}")
    sys.stdout.flush()
