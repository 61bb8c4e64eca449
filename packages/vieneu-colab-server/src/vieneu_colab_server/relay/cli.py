"""The command ``vieneu-relay``: settings to a running relay."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from vieneu_colab_server import __version__
from vieneu_colab_server.advertisement import AdvertiseOption, network_presence
from vieneu_colab_server.cli import LogLevel
from vieneu_colab_server.cli import make_settings as server_settings
from vieneu_colab_server.exit_codes import exiting_on_failure
from vieneu_colab_server.launch import serve_app
from vieneu_colab_server.relay.app import ADMIN_PATH, WyomingOptions, create_relay_app
from vieneu_colab_server.relay.relay_parts import relay_parts, relay_token_file
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.config import state_dir
from vieneu_core.errors import ConfigurationError


def relay(  # noqa: PLR0913 - each argument is an option of the command
    *,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings file, as of vieneu.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder for what the relay keeps.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port [8000]; 0 takes a free one.")] = None,
    wyoming: Annotated[
        str | None,
        typer.Option(metavar="URI", help="Serve Wyoming clients too: tcp://127.0.0.1:10200."),
    ] = None,
    wyoming_zeroconf: Annotated[
        str | None, typer.Option(metavar="NAME", help="Advertise it in the network by this name.")
    ] = None,
    announce: AdvertiseOption = None,
    login_code: Annotated[
        bool, typer.Option("--login-code", help="Print a login code though there is a password.")
    ] = False,
    new_admin_token: Annotated[
        bool, typer.Option("--new-admin-token", help="Make and print a new admin token.")
    ] = False,
    log_level: Annotated[LogLevel, typer.Option(help="How much to log.")] = LogLevel.INFO,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Serve the router over HTTP, with an admin API, for people and programs."""
    if version:
        typer.echo(__version__)
        return
    logging.basicConfig(
        level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    folder = state or state_dir(os.environ)
    with exiting_on_failure():
        presence = network_presence(announce)
        parts = relay_parts(
            folder,
            config,
            wyoming=_wyoming(wyoming, wyoming_zeroconf),
            companions=() if presence is None else (presence.running,),
        )
        server, _ = server_settings({"host": host, "port": port}, relay_token_file(folder))
        account = parts.account
        admin_token = account.new_token() if new_admin_token else account.open()
        app = create_relay_app(server, parts)

        def on_listening(url: str) -> None:
            if presence is not None:
                presence.listen_at(url)
            _greet(url, server, admin_token)
            if login_code or not account.has_password:
                code = account.new_code().get_secret_value()
                typer.echo(f"Log in once within an hour: {url}{ADMIN_PATH}/#code={code}")
            sys.stdout.flush()

        serve_app(app, server, on_listening)


def _wyoming(address: str | None, name: str | None) -> WyomingOptions | None:
    """Return the options of the Wyoming server.

    Raises:
        ConfigurationError: a name is given, and no address.
    """
    if address is None and name is not None:
        raise ConfigurationError(
            "--wyoming-zeroconf needs --wyoming.",
            remedy="Add --wyoming tcp://0.0.0.0:10200, or leave it out.",
        )
    return None if address is None else WyomingOptions(address=address, advertised_as=name)


def _greet(url: str, settings: ServerSettings, admin_token: SecretStr | None) -> None:
    typer.echo(f"Listening on {url}")
    if settings.token_file is not None:
        typer.echo(f"Token for speech: in {settings.token_file}")
    if admin_token is not None:
        typer.echo(f"Admin token (shown this once): {admin_token.get_secret_value()}")


def run() -> None:
    """Run the command with the arguments of this process, and exit.

    Raises:
        OutputError: standard output cannot be written.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(relay)
    app()
