"""The command ``vieneu-server``: parses arguments, calls `launch`."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import SecretStr, ValidationError

from vieneu_colab_server import __version__
from vieneu_colab_server.advertisement import AdvertiseOption, network_presence
from vieneu_colab_server.engine_options import engine_options
from vieneu_colab_server.exit_codes import exiting_on_failure
from vieneu_colab_server.exposure import PublicEvent
from vieneu_colab_server.launch import PublicAccess, launch
from vieneu_colab_server.middleware.shared_counts import STORAGE_VARIABLE
from vieneu_colab_server.settings import ENV_PREFIX, ServerSettings
from vieneu_colab_server.tokens.file import read_token_file
from vieneu_colab_server.tunnels.registry import TunnelOptions, make_tunnel
from vieneu_core.backends import Backend, LocalBackend, ReadingBackend
from vieneu_core.config import EMBEDDED_ENGINE, AccountSecret, TunnelKind, cache_dir
from vieneu_core.credentials import new_auth_token
from vieneu_core.errors import ConfigurationError, OutputError
from vieneu_core.text import DictionaryFile
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reasons_of
from vieneu_core.voices import VoiceCatalogue
from vieneu_core.worker.spec import EngineSpec, RestartPolicy

if TYPE_CHECKING:
    from vieneu_colab_server.advertisement.presence import NetworkPresence

_RESTART = RestartPolicy(again_after_s=30.0)
"""Nobody else would load the engine again."""
TOKEN_VARIABLE = f"{ENV_PREFIX}TOKEN"
ADMIN_TOKEN_VARIABLE = f"{ENV_PREFIX}ADMIN_TOKEN"
TOKEN_FILE_VARIABLE = f"{ENV_PREFIX}TOKEN_FILE"
SECRET_VARIABLES = (TOKEN_VARIABLE, ADMIN_TOKEN_VARIABLE, STORAGE_VARIABLE)
CALLBACK_VARIABLE = f"{ENV_PREFIX}CALLBACK_URL"
"""Not an option: a webhook's path is a secret, and every process can read arguments."""


class LogLevel(StrEnum):
    """Log levels."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def make_settings(arguments: dict[str, Any], token_file: Path | None) -> tuple[ServerSettings, str]:
    """Return the settings, and the token if it is a new one (else an empty text).

    The variables of secrets are removed from the environment, so that no other process inherits it.

    Raises:
        ConfigurationError: a setting is invalid.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    from_environment = os.environ.pop(TOKEN_VARIABLE, "").strip()
    if token_file is None and (named := os.environ.get(TOKEN_FILE_VARIABLE, "").strip()):
        token_file = Path(named)
    new = "" if token_file or from_environment else new_auth_token().get_secret_value()
    token = read_token_file(token_file) if token_file else from_environment or new
    try:
        return ServerSettings(token=token, token_file=token_file, **given), new
    except ValidationError as err:
        raise ConfigurationError(
            Translatable("Wrong settings: {named}.", named=reasons_of(err)),
            remedy=Translatable(
                "Correct the option, or the variable {env_prefix}<NAME>.", env_prefix=ENV_PREFIX
            ),
        ) from None
    finally:
        for secret in SECRET_VARIABLES:
            os.environ.pop(secret, None)


def make_public(
    kind: TunnelKind, *, domain: str | None, program: Path | None
) -> PublicAccess | None:
    """Return how the server is made public; None if it is not.

    Raises:
        ConfigurationError: an option or a variable is missing, or does not apply to this tunnel.
    """
    callback = os.environ.pop(CALLBACK_VARIABLE, "").strip()
    options = TunnelOptions(
        domain=domain,
        program=program,
        download_folder=cache_dir(os.environ) / "programs",
        read_secret=_from_environment,
    )
    tunnel = make_tunnel(kind, options)
    if kind is TunnelKind.NONE:
        if callback:
            raise ConfigurationError(
                Translatable(
                    "{callback_variable} needs a tunnel: there is no public URL to send.",
                    callback_variable=CALLBACK_VARIABLE,
                ),
                remedy="Choose one with --tunnel.",
            )
        return None
    return PublicAccess(
        tunnel=tunnel,
        callback_url=SecretStr(callback) if callback else None,
        notify=_print_event,
    )


def _from_environment(secret: AccountSecret) -> SecretStr | None:
    """Read a secret and remove it from the environment, so that no other process inherits it."""
    value = os.environ.pop(secret.name, "").strip()
    return SecretStr(value) if value else None


def _serve(  # noqa: PLR0913 - the parts that its options make
    settings: ServerSettings,
    new_token: str,
    backend: Backend,
    public: PublicAccess | None,
    presence: NetworkPresence | None,
    *,
    until_stdin_ends: bool,
) -> None:
    def on_listening(url: str) -> None:
        if presence is not None:
            presence.listen_at(url)
        typer.echo(f"Listening on {url}")
        if new_token:
            typer.echo(f"Token (shown this once): {new_token}")
        elif settings.token_file is not None:
            typer.echo(f"Token: as in {settings.token_file}")
        sys.stdout.flush()

    if settings.samples_dir is not None and not settings.samples_dir.is_dir():
        raise ConfigurationError(
            Translatable(
                "The samples folder {samples_dir} is not there.", samples_dir=settings.samples_dir
            ),
            remedy="Create it, or correct --samples.",
        )
    stop_after = _stdin_ends if until_stdin_ends else None
    companions = () if presence is None else (presence.running,)
    launch(settings, backend, on_listening, public, stop_after, companions=companions)


def _voices(settings: ServerSettings) -> VoiceCatalogue | None:
    return None if settings.voices_dir is None else VoiceCatalogue(settings.voices_dir)


_LINES = {
    "address": "Public URL: {detail}",
    "address_sent": "Home Assistant has the new address.",
    "address_not_sent": "warning: {detail}",
    "tunnel_lost": "warning: The tunnel is lost: {detail}",
}
"""Lines printed for events; other events are only logged."""


def _print_event(event: PublicEvent) -> None:
    """Print an event; a full disk must not interrupt speech."""
    if event.kind in _LINES:
        with suppress(OutputError, OSError):
            typer.echo(_LINES[event.kind].format(detail=event.detail))


def _stdin_ends() -> None:
    """Wait for the end of standard input: the program at the other end has ended."""
    while os.read(sys.stdin.fileno(), 1024):
        pass


def serve(  # noqa: PLR0913 - each argument is an option of the command
    *,
    engine: Annotated[
        str, typer.Option(help="Name of an installed engine, or module:attribute.")
    ] = EMBEDDED_ENGINE,
    engine_option: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="An option of the engine.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port [8000]; 0 takes a free one.")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help=f"File with the token (or set {TOKEN_VARIABLE}).")
    ] = None,
    samples: Annotated[
        Path | None, typer.Option(help="Folder of reference audio that requests may name.")
    ] = None,
    dictionary: Annotated[
        str | None, typer.Option(help="File of names and words: lines of written = spoken.")
    ] = None,
    session_limit: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="When this session ends by itself.")
    ] = None,
    max_queue: Annotated[int | None, typer.Option(help="Requests that may wait [8].")] = None,
    max_concurrent: Annotated[
        int | None, typer.Option(help="Requests that are synthesized at once [4].")
    ] = None,
    drain_timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Time to finish after SIGTERM [30].")
    ] = None,
    tunnel: Annotated[
        TunnelKind, typer.Option(help="Makes it public, once it has spoken a test sentence.")
    ] = TunnelKind.NONE,
    domain: Annotated[
        str | None,
        typer.Option(help="A reserved domain at the tunnel's provider: a lasting URL."),
    ] = None,
    tunnel_program: Annotated[
        Path | None, typer.Option(help="Path of the tunnel provider's program.")
    ] = None,
    until_stdin_ends: Annotated[
        bool, typer.Option("--until-stdin-ends", help="Stop when the starting program is gone.")
    ] = False,
    announce: AdvertiseOption = None,
    log_level: Annotated[LogLevel, typer.Option(help="How much to log.")] = LogLevel.INFO,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Serve Vietnamese speech over HTTP, behind a token.

    Every other limit is a variable VIENEU_SERVER_<NAME>; the package's README lists them.
    """
    if version:
        typer.echo(__version__)
        return
    logging.basicConfig(
        level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    arguments = {
        "host": host,
        "port": port,
        "samples_dir": samples,
        "session_limit_s": session_limit,
        "max_queue": max_queue,
        "max_concurrent": max_concurrent,
        "drain_timeout_s": drain_timeout,
    }
    with exiting_on_failure():
        settings, new_token = make_settings(arguments, token_file)
        spec = EngineSpec(engine, engine_options(engine_option or []))
        public = make_public(tunnel, domain=domain, program=tunnel_program)
        backend = ReadingBackend(
            LocalBackend(spec, recovers=True, restart=_RESTART, voices=_voices(settings)),
            dictionary=DictionaryFile.named(dictionary),
        )
        presence = network_presence(announce)
        _serve(settings, new_token, backend, public, presence, until_stdin_ends=until_stdin_ends)


def run() -> None:
    """Run the command with the arguments of this process, and exit.

    Raises:
        OutputError: standard output cannot be written.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(serve)
    app()
