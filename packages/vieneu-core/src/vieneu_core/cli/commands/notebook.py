"""``vieneu notebook``: creates the notebook that runs the server on Google Colab."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr, ValidationError

from vieneu_core import __version__
from vieneu_core.cli.console import ConfigOption, LangOption, Terminal, terminal_of
from vieneu_core.cli.event_loop import run_command
from vieneu_core.cli.stdio import STANDARD, require_stdout, write_out
from vieneu_core.config import TunnelKind, save_settings, voices_dir
from vieneu_core.credentials import new_auth_token, parse_server_token
from vieneu_core.engines.registry import AUTO_ENGINE, ENGINE_CHOICES
from vieneu_core.errors import ConfigurationError
from vieneu_core.notebook import (
    Carried,
    FromGit,
    FromPyPI,
    NotebookSettings,
    VoiceSample,
    Wheel,
    notebook_file,
    samples_of,
    write_notebook,
)
from vieneu_core.translatable import Translatable
from vieneu_core.validation import field_of, reason_of
from vieneu_core.voices import VoiceCatalogue

CALLBACK_VARIABLE = "VIENEU_SERVER_CALLBACK_URL"
"""The server's variable; not an option, because a webhook's path is a secret."""

_OPTIONS = {
    "voices": "voice",
    "url": "git",
    "revision": "git",
    "source": "git",
    "samples": "sample",
}
"""Options whose name differs from that of the field."""

app = typer.Typer()


@app.command("notebook")
def notebook_command(  # noqa: PLR0913, PLR0917 - one argument for each option
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE")],
    engine: Annotated[str, typer.Option(metavar=f"<{'|'.join(ENGINE_CHOICES)}>")] = AUTO_ENGINE,
    model: Annotated[str | None, typer.Option()] = None,
    codec: Annotated[str | None, typer.Option()] = None,
    voice: Annotated[list[str] | None, typer.Option()] = None,
    sample: Annotated[list[str] | None, typer.Option(metavar="ID")] = None,
    tunnel: Annotated[str, typer.Option(metavar=f"<{'|'.join(TunnelKind)}>")] = TunnelKind.NGROK,
    domain: Annotated[str | None, typer.Option()] = None,
    session_hours: Annotated[float, typer.Option(metavar="HOURS")] = 12.0,
    drive_cache: Annotated[bool, typer.Option("--drive-cache")] = False,
    git: Annotated[str | None, typer.Option(metavar="URL[@REVISION]")] = None,
    carry: Annotated[bool, typer.Option("--carry")] = False,
    wheel: Annotated[list[Path] | None, typer.Option(metavar="FILE")] = None,
    pypi: Annotated[bool, typer.Option("--pypi")] = False,
    embed_token: Annotated[bool, typer.Option("--embed-token")] = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Create a notebook."""
    options = NotebookOptions(
        output=output,
        choices={
            "engine": engine,
            "model": model,
            "codec": codec,
            "voices": tuple(voice or ()),
            "tunnel": tunnel,
            "domain": domain,
            "session_hours": session_hours,
            "drive_cache": drive_cache,
        },
        git=git,
        carry=carry,
        wheels=tuple(wheel or ()),
        samples=tuple(sample or ()),
        pypi=pypi,
        embed_token=embed_token,
    )
    make_notebook(terminal_of(config, lang), options)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookOptions:
    """Options of ``vieneu notebook``."""

    output: str
    choices: Mapping[str, object]
    """Fields of `NotebookSettings`."""
    git: str | None
    carry: bool
    wheels: tuple[Path, ...]
    samples: tuple[str, ...]
    """Ids of voices that ``vieneu voices add`` has added."""
    pypi: bool
    embed_token: bool


def make_notebook(terminal: Terminal, options: NotebookOptions) -> None:
    """Write a notebook, and print the next steps.

    Raises:
        ConfigurationError: an option or the settings file given is invalid.
        RequestError: the notebook cannot be written.
        MissingExtraError: jinja2 or nbformat is not installed.
    """
    terminal.check_named_settings()
    messages, token = terminal.messages, None
    if options.embed_token:
        token = _token(terminal)
    callback = terminal.environ.get(CALLBACK_VARIABLE, "").strip()
    try:
        settings = NotebookSettings.model_validate(
            {
                **options.choices,
                "language": messages.language,
                "callback_url": callback or None,
                "token": token,
                "source": _source(options),
                "samples": _samples(terminal, options.samples),
            }
        )
    except ValidationError as error:
        raise _option_error(error) from None
    to_stdout = options.output == STANDARD
    if to_stdout:
        run_command(_print(notebook_file(settings)))
    else:
        write_notebook(settings, Path(options.output))
    if token is not None:
        save_settings({"colab.auth_token": token}, terminal.path)
    if not to_stdout:
        terminal.print(messages("notebook_written", path=options.output))
    if options.pypi:
        terminal.note(messages("from_pypi", version=__version__))
    if token is not None:
        terminal.note(messages("token_inside", path=terminal.path))
    if not to_stdout:
        terminal.print(messages("notebook_next"))


async def _print(content: bytes) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield content

    require_stdout()
    await write_out(once())


def _token(terminal: Terminal) -> SecretStr:
    """Return the token of the settings, or a new one if there is none.

    Raises:
        ConfigurationError: the token of the settings is too weak for a server.
    """
    token = terminal.settings().colab.auth_token
    if not token.get_secret_value():
        return new_auth_token()
    try:
        return parse_server_token(token)
    except ValueError as error:
        reason = reason_of(error)
    raise ConfigurationError(
        Translatable(
            "The token of the settings (colab.auth_token, {path}) cannot be used: {reason}.",
            path=terminal.path,
            reason=reason,
        ),
        remedy="Remove it, so that a new one is made, or set a longer one.",
    )


def _samples(terminal: Terminal, ids: tuple[str, ...]) -> tuple[VoiceSample, ...]:
    """Read the voices to carry.

    Raises:
        VoiceNotFoundError: a voice was not added on this machine.
    """
    return samples_of(VoiceCatalogue(voices_dir(terminal.environ)), ids) if ids else ()


def _source(options: NotebookOptions) -> FromPyPI | FromGit | Carried | None:
    if sum((options.git is not None, options.carry, bool(options.wheels), options.pypi)) > 1:
        raise ConfigurationError(
            "--git, --carry, --wheel and --pypi exclude each other.", remedy="Give one of them."
        )
    if options.wheels:
        return Carried.of([Wheel.of_file(path) for path in options.wheels])
    if options.pypi:
        return FromPyPI()
    if options.git is None:
        return None
    # An @ before the path belongs to the host.
    start, mark, path = options.git.partition("://")
    host, slash, below = path.partition("/")
    below, _, revision = below.partition("@")
    return FromGit(url=f"{start}{mark}{host}{slash}{below}", revision=revision or "main")


def _option_error(error: ValidationError) -> ConfigurationError:
    first = error.errors(include_input=False, include_url=False)[0]
    path = [part for part in field_of(first).split(".") if part not in {"git", "pypi", "carried"}]
    name = path[0].replace("_", "-")
    option = CALLBACK_VARIABLE if name == "callback-url" else f"--{_OPTIONS.get(name, name)}"
    return ConfigurationError(
        Translatable(
            "Wrong notebook: {option}: {problem}.", option=option, problem=reason_of(first)
        ),
        remedy="Correct it; see vieneu notebook --help.",
    )
