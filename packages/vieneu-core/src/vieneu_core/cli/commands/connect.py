"""``vieneu connect``, ``disconnect`` and ``rotate-token``: the server in the settings file."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from pydantic import SecretStr, ValidationError
from pydantic_core import PydanticCustomError

from vieneu_core import __version__
from vieneu_core.backends.base import Health
from vieneu_core.cli.backends import gpu_memory, latency
from vieneu_core.cli.console import (
    ConfigOption,
    LangOption,
    Terminal,
    facts_table,
    terminal_of,
)
from vieneu_core.cli.error_messages import plain
from vieneu_core.cli.event_loop import run_command
from vieneu_core.cli.prompt import LONGEST_LINE, ask_secret
from vieneu_core.clock import SystemClock
from vieneu_core.config import AUTH_TOKEN_VARIABLE, ENDPOINT_URL_VARIABLE, save_settings
from vieneu_core.credentials import parse_auth_token, parse_endpoint_url
from vieneu_core.errors import (
    BackendLoadingError,
    BackendNotConfiguredError,
    ConfigurationError,
)
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of
from vieneu_core.wire.version import is_older

ADMIN_TOKEN_VARIABLE = "VIENEU_ADMIN_TOKEN"  # noqa: S105 - a name
"""Environment variable: the server's admin token, where it has one. It is not kept."""
LOADING_WAIT_S = 120.0
"""Seconds for which `connect` waits for a server that is still loading."""
LOADING_CHECK_S = 1.0

app = typer.Typer()


@app.command("connect")
def connect_command(
    url: Annotated[str, typer.Argument()],
    token_stdin: Annotated[bool, typer.Option("--token-stdin")] = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Connect to a server."""
    terminal = terminal_of(config, lang)
    run_command(connect(terminal, url, read_token(terminal, from_stdin=token_stdin)))


def read_token(terminal: Terminal, *, from_stdin: bool) -> SecretStr:
    """Read the token from standard input, the environment, or a hidden prompt.

    If none of them has one, the stored token is used: `vieneu notebook` stores the token
    that it writes into a notebook.

    Raises:
        ConfigurationError: there is no token, or it is invalid.
    """
    at_terminal = sys.stdin.isatty()
    if from_stdin and not at_terminal:
        text = _line_of_stdin()
    elif not from_stdin and terminal.environ.get(AUTH_TOKEN_VARIABLE, "").strip():
        text = terminal.environ[AUTH_TOKEN_VARIABLE]
    elif at_terminal:
        text = _prompted(terminal)
    else:
        text = ""
    token = _token(text)
    if not token.get_secret_value() and not from_stdin and terminal.path.exists():
        token = terminal.settings().colab.auth_token
    if not token.get_secret_value():
        raise ConfigurationError(
            "There is no token.",
            remedy=Translatable(
                "Type it when asked, pipe it in with --token-stdin, or set {auth_token_variable}.",
                auth_token_variable=AUTH_TOKEN_VARIABLE,
            ),
        )
    return token


async def connect(terminal: Terminal, url: str, token: SecretStr) -> None:
    """Verify a server, and save its URL and token if it is ready.

    Raises:
        BackendError: it is not ready, or still loads after two minutes; nothing was saved.
        ConfigurationError: URL, token or settings file is invalid; nothing was saved.
    """
    endpoint_url = _url(url)
    _refuse_overrides(terminal, endpoint_url, token)
    save_settings({}, terminal.path)  # fails first if the file cannot be written
    if terminal.err.is_terminal:
        terminal.err.print(terminal.messages("connecting", url=plain(endpoint_url)), markup=False)
    health = await _verified(terminal, endpoint_url, token)
    from_environment = bool(terminal.environ.get(AUTH_TOKEN_VARIABLE, "").strip())
    kept = SecretStr("") if from_environment else token
    save_settings(
        {"colab.enabled": True, "colab.endpoint_url": endpoint_url, "colab.auth_token": kept},
        terminal.path,
    )
    _show_connection(terminal, endpoint_url, health, from_environment=from_environment)


async def _verified(terminal: Terminal, endpoint_url: str, token: SecretStr) -> Health:
    """Verify a server; wait for one that was just started and still loads its model."""
    from vieneu_core.pairing.server_verification import verify_server

    clock = SystemClock()
    wait_until_s = clock.monotonic() + LOADING_WAIT_S
    noted = False
    while True:
        try:
            return await verify_server(endpoint_url, token)
        except BackendLoadingError:
            if clock.monotonic() > wait_until_s:
                raise
        if not noted:
            terminal.note(terminal.messages("server_loading"))
            noted = True
        await clock.sleep(LOADING_CHECK_S)


@app.command("disconnect")
def disconnect_command(config: ConfigOption = None, lang: LangOption = None) -> None:
    """Remove the server's token."""
    disconnect(terminal_of(config, lang))


def disconnect(terminal: Terminal) -> None:
    """Remove the server's token, and change to local mode if the mode was remote.

    Raises:
        ConfigurationError: the settings file is invalid or cannot be written.
    """
    messages = terminal.messages
    if not terminal.path.exists():
        terminal.check_named_settings()
    before = save_settings({}, terminal.path) if terminal.path.exists() else None
    held = before is not None and (
        before.colab.enabled or bool(before.colab.auth_token.get_secret_value())
    )
    overrides = _overrides(terminal)
    if held or overrides:
        changes: dict[str, str | bool] = {"colab.enabled": False, "colab.auth_token": ""}
        if before is not None and before.backend_mode == "remote":
            changes["backend_mode"] = "local"
        save_settings(changes, terminal.path)
    terminal.print(messages("disconnected") if held else messages("not_connected"))
    if before is not None and before.mode == "remote":
        terminal.print(messages("mode_set", mode="local"))
    if overrides:
        terminal.note(messages("environment_remains", names=", ".join(overrides)))


@app.command("rotate-token")
def rotate_command(config: ConfigOption = None, lang: LangOption = None) -> None:
    """Replace the server's token."""
    run_command(rotate_token(terminal_of(config, lang)))


async def rotate_token(terminal: Terminal) -> None:
    """Let the server generate a new token, and save it in place of the current one.

    Raises:
        BackendError: the server refused or failed.
        ConfigurationError: no server is connected, or the token cannot be saved.
    """
    from vieneu_core.pairing.token_rotation import rotate_saved_token

    colab = terminal.settings().colab
    if not colab.enabled:
        raise BackendNotConfiguredError("No server is connected.", backend="remote")
    if terminal.environ.get(AUTH_TOKEN_VARIABLE, "").strip():
        raise ConfigurationError(
            Translatable(
                "The token comes from the environment variable {auth_token_variable}, where a"
                " new one cannot be kept.",
                auth_token_variable=AUTH_TOKEN_VARIABLE,
            ),
            remedy="Keep the token in the settings file: unset the variable, then vieneu connect",
        )
    admin_token = terminal.environ.get(ADMIN_TOKEN_VARIABLE, "").strip()
    await rotate_saved_token(
        terminal.path,
        colab.endpoint_url,
        colab.auth_token,
        admin_token=_token(admin_token) if admin_token else None,
        environ=terminal.environ,
    )
    terminal.print(terminal.messages("token_rotated", path=terminal.path))


def _prompted(terminal: Terminal) -> str:
    try:
        return ask_secret(terminal.messages("token_prompt"))
    except EOFError:
        return ""


def _line_of_stdin() -> str:
    try:
        return sys.stdin.readline(LONGEST_LINE)
    except OSError as error:
        raise ConfigurationError(
            Translatable("Standard input cannot be read: {error}.", error=error.strerror),
            remedy="Pipe the token in.",
        ) from error


def _token(text: str) -> SecretStr:
    try:
        return parse_auth_token(SecretStr(text))
    except PydanticCustomError as err:
        wrong = reason_of(err)
    raise ConfigurationError(
        Translatable("The token cannot be used: {wrong}.", wrong=wrong),
        remedy="Copy it as the server showed it.",
    )


def _url(text: str) -> str:
    wrong = "it is empty"
    try:
        if url := parse_endpoint_url(text):
            return url
    except (PydanticCustomError, ValidationError) as err:
        wrong = reason_of(err)
    raise ConfigurationError(
        Translatable("The server's URL cannot be used: {wrong}.", wrong=wrong),
        remedy="Give the URL that the server shows, for example https://abc.ngrok-free.app",
    )


def _overrides(terminal: Terminal) -> list[str]:
    names = (ENDPOINT_URL_VARIABLE, AUTH_TOKEN_VARIABLE)
    return [name for name in names if terminal.environ.get(name, "").strip()]


def _refuse_overrides(terminal: Terminal, url: str, token: SecretStr) -> None:
    """Refuse to save values that environment variables override: saving would have no effect."""
    wanted = {ENDPOINT_URL_VARIABLE: url, AUTH_TOKEN_VARIABLE: token.get_secret_value()}
    for name in _overrides(terminal):
        if _stated(terminal, name) != wanted[name]:
            raise ConfigurationError(
                Translatable(
                    "The environment variable {name} says something else, and would win.", name=name
                ),
                remedy=Translatable("Unset it: unset {name}", name=name),
            )


def _stated(terminal: Terminal, name: str) -> str:
    """Return the value of a variable as the settings understand it."""
    text = terminal.environ[name].strip()
    try:
        if name == ENDPOINT_URL_VARIABLE:
            return parse_endpoint_url(text)
        return parse_auth_token(SecretStr(text)).get_secret_value()
    except PydanticCustomError:
        return text  # differs from every value that can be used


def _show_connection(
    terminal: Terminal, url: str, health: Health, *, from_environment: bool
) -> None:
    messages = terminal.messages
    terminal.out.print(messages("connected", url=plain(url)), style="green", markup=False)
    table = facts_table()
    facts = {
        "latency": latency(health, messages),
        "engine": health.engine,
        "model": health.model,
        "accelerator": health.accelerator,
        "gpu_memory": gpu_memory(health, terminal.messages),
        "remaining": None if health.remaining_s is None else messages.duration(health.remaining_s),
        "version": health.version,
        "saved": str(terminal.path),
    }
    for key, fact in facts.items():
        if fact:
            table.add_row(messages(key), plain(fact))
    terminal.out.print(table)
    if from_environment:
        terminal.note(messages("token_not_saved"))
    if is_older(health.version, own=__version__):
        terminal.note(messages("server_outdated", theirs=health.version, own=__version__))
    terminal.print(messages("use_remote"))
