"""``vieneu notebook``: options to a notebook, and what to do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr, ValidationError

from vieneu_core import __version__
from vieneu_core.cli.console import Terminal
from vieneu_core.config import new_auth_token, save_settings
from vieneu_core.errors import ConfigurationError
from vieneu_core.notebook import (
    Carried,
    FromGit,
    FromPyPI,
    NotebookSettings,
    Wheel,
    write_notebook,
)
from vieneu_core.notebook.settings import MIN_TOKEN_CHARS

CALLBACK_VARIABLE = "VIENEU_SERVER_CALLBACK_URL"
"""The server's own; not an option, because the path of a webhook is a secret."""

_OPTIONS = {"voices": "voice", "url": "git", "revision": "git", "source": "git"}
"""Where the option has another name than the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookOptions:
    """What was asked for on the command line."""

    output: Path
    choices: Mapping[str, object]
    """Fields of `NotebookSettings`."""
    git: str | None
    carry: bool
    wheels: tuple[Path, ...]
    pypi: bool
    embed_token: bool


def make_notebook(terminal: Terminal, options: NotebookOptions) -> None:
    """Write a notebook, and tell what to do with it.

    Raises:
        ConfigurationError: an option or the settings file that was named is wrong, or the notebook
            cannot be written.
        MissingExtraError: jinja2 or nbformat is not installed.
    """
    terminal.check_named_settings()
    words, token = terminal.words, None
    if options.embed_token:
        token = _token(terminal)
    callback = terminal.environ.get(CALLBACK_VARIABLE, "").strip()
    try:
        settings = NotebookSettings.model_validate(
            {
                **options.choices,
                "language": words.language.value,
                "callback_url": callback or None,
                "token": token,
                "source": _source(options),
            }
        )
    except ValidationError as error:
        raise _in_words(error) from None
    write_notebook(settings, options.output)
    if token is not None:
        save_settings({"colab.auth_token": token}, terminal.path)
    terminal.say(words("notebook_written", path=options.output))
    if options.pypi:
        terminal.note(words("from_pypi", version=__version__))
    if token is not None:
        terminal.note(words("token_inside", path=terminal.path))
    terminal.say(words("notebook_next"))


def _token(terminal: Terminal) -> SecretStr:
    """Take the token that the settings hold, or make one."""
    kept = terminal.settings().colab.auth_token
    return kept if len(kept.get_secret_value()) >= MIN_TOKEN_CHARS else new_auth_token()


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


def _in_words(error: ValidationError) -> ConfigurationError:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = [str(part) for part in first["loc"] if part not in {"git", "pypi", "carried"}]
    told = first["msg"].removeprefix("Value error, ")
    if not place:  # what does not go together: it begins with the name at fault
        name, _, told = told.partition(": ")
        place = [name]
    name = place[0].replace("_", "-")
    option = CALLBACK_VARIABLE if name == "callback-url" else f"--{_OPTIONS.get(name, name)}"
    return ConfigurationError(
        f"Wrong notebook: {option}: {told.rstrip('.')}.",
        remedy="Correct it; see vieneu notebook --help.",
    )
