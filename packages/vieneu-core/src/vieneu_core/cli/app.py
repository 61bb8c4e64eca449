"""The commands of ``vieneu``: arguments to calls, errors to exit codes. No logic of their own."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from vieneu_core import __version__
from vieneu_core.cli.console import plain
from vieneu_core.cli.event_loop import run_to_its_end
from vieneu_core.cli.exit_codes import EXIT_CODES_HELP, ExitCode, exit_code, line
from vieneu_core.cli.notebook_command import notebook_command
from vieneu_core.cli.options import (
    ConfigOption,
    JsonOption,
    LangOption,
    terminal_in_group,
    terminal_of,
)
from vieneu_core.cli.streams import abandon_output
from vieneu_core.cli.words import Words, choose_language
from vieneu_core.errors import VieneuError
from vieneu_core.router import Mode

app = typer.Typer(
    name="vieneu",
    help="Vietnamese speech from this machine or from a remote GPU.",
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DEBUG_VARIABLE = "VIENEU_DEBUG"
T = TypeVar("T")


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"vieneu {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Vietnamese speech from this machine or from a remote GPU."""


@app.command("say")
def say_command(  # noqa: PLR0913, PLR0917 - one argument for each option
    text: Annotated[str, typer.Argument(help="What to say; - reads it from standard input.")],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write .wav, .flac, .ogg or .mp3; - writes WAV to standard output. "
            "Without it the speech is played.",
        ),
    ] = None,
    voice: Annotated[str | None, typer.Option(help="Id of a voice; see: vieneu voices")] = None,
    speed: Annotated[float, typer.Option(min=0.5, max=2.0, help="Rate of speech.")] = 1.0,
    mode: Annotated[Mode | None, typer.Option(help="Speak there, this once.")] = None,
    language: Annotated[
        str, typer.Option(help="vi or en: chooses the voice where none is named.")
    ] = "vi",
    watermark: Annotated[
        bool, typer.Option("--watermark", help="Mark the audio, unheard, as made by a machine.")
    ] = False,
    stats: Annotated[bool, typer.Option("--stats", help="Show figures, and who spoke.")] = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Say a text: play it, or write it to a file."""
    from vieneu_core.cli.commands.say import SayOptions, say

    options = SayOptions(
        text=text,
        output=output,
        voice=voice,
        speed=speed,
        mode=mode.value if mode is not None else None,
        language=language,
        watermark=watermark,
        stats=stats,
    )
    _run(say(terminal_of(config, lang), options))


voices_app = typer.Typer(help="List the voices; add and remove your own.")
app.add_typer(voices_app, name="voices")


@voices_app.callback(invoke_without_command=True)
def voices_command(
    context: typer.Context,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """List the voices, the default one first; add and remove your own."""
    if context.invoked_subcommand is not None:
        return
    from vieneu_core.cli.commands.status import show_voices

    _run(show_voices(terminal_of(config, lang), as_json=as_json))


@voices_app.command("add")
def add_voice_command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name, for people.")],
    audio: Annotated[
        str, typer.Option("--audio", metavar="FILE", help="3 to 15 s of speech; - reads stdin.")
    ],
    text: Annotated[str, typer.Option("--text", help="What is said in it, word by word.")],
    language: Annotated[str, typer.Option(help="vi or en")] = "vi",
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Add a voice from a clip. Ask its owner first."""
    from vieneu_core.cli.commands.voices import add_voice

    _run(add_voice(terminal_in_group(context, config, lang), name, audio, text, language))


@voices_app.command("remove")
def remove_voice_command(
    context: typer.Context,
    voice: Annotated[str, typer.Argument(help="Its id; see: vieneu voices")],
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Forget a voice that was added."""
    from vieneu_core.cli.commands.voices import remove_voice

    _run(remove_voice(terminal_in_group(context, config, lang), voice))


models_app = typer.Typer(help="List the models that are known; fetch one.")
app.add_typer(models_app, name="models")


@models_app.callback(invoke_without_command=True)
def models_command(
    context: typer.Context,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """List the models that are known by name, and which of them are on this machine."""
    if context.invoked_subcommand is not None:
        return
    from vieneu_core.cli.commands.models import show_models

    show_models(terminal_of(config, lang), as_json=as_json)


@models_app.command("get")
def get_model_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A known name, or OWNER/REPOSITORY:FILE@REVISION")],
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Fetch a model, so that it can be loaded without a network."""
    from vieneu_core.cli.commands.models import get_model

    _run(get_model(terminal_in_group(context, config, lang), name))


@app.command("optimize")
def optimize_command(
    model: Annotated[Path, typer.Argument(help="A VieNeu model, GGUF.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Default: MODEL-trimmed.gguf")
    ] = None,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Write a smaller, faster model: the text tokens that speech never needs are left out."""
    from vieneu_core.cli.commands.models import optimize

    _run(optimize(terminal_of(config, lang), model, output))


@app.command("status")
def status_command(
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C.")] = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Show how the backends stand."""
    from vieneu_core.cli.commands.status import show_status

    _run(show_status(terminal_of(config, lang), as_json=as_json, watch=watch))


@app.command("mode")
def mode_command(
    mode: Annotated[Mode | None, typer.Argument(help="Without it, the mode is shown.")] = None,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Show where requests go, or send them elsewhere from now on."""
    from vieneu_core.cli.commands.connect import set_mode, show_mode

    terminal = terminal_of(config, lang)
    if mode is None:
        show_mode(terminal)
    else:
        _run(set_mode(terminal, mode))


@app.command("connect")
def connect_command(
    url: Annotated[str, typer.Argument(help="URL that the server shows.")],
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the token from standard input.")
    ] = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Connect to a server: look at it, and keep URL and token if it is ready.

    The token is asked for, or read from standard input or COLAB_AUTH_TOKEN; never from an argument.
    """
    from vieneu_core.cli.commands.connect import connect, read_token

    terminal = terminal_of(config, lang)
    _run(connect(terminal, url, read_token(terminal, from_stdin=token_stdin)))


@app.command("disconnect")
def disconnect_command(config: ConfigOption = None, lang: LangOption = None) -> None:
    """Forget the server's token; the mode becomes local."""
    from vieneu_core.cli.commands.connect import disconnect

    disconnect(terminal_of(config, lang))


@app.command("rotate-token")
def rotate_command(config: ConfigOption = None, lang: LangOption = None) -> None:
    """Have the server make a new token and keep it; the old one ends in ten minutes."""
    from vieneu_core.cli.commands.connect import rotate_token

    _run(rotate_token(terminal_of(config, lang)))


app.command("notebook")(notebook_command)


@app.command("test")
def try_command(config: ConfigOption = None, lang: LangOption = None) -> None:
    """Speak one short sentence on each backend that is ready, without playing it."""
    from vieneu_core.cli.commands.doctor import try_backends

    _run(try_backends(terminal_of(config, lang)))


@app.command("doctor")
def doctor_command(config: ConfigOption = None, lang: LangOption = None) -> None:
    """Say what is possible on this machine, and what is missing for the rest."""
    from vieneu_core.cli.commands.doctor import examine

    if not _run(examine(terminal_of(config, lang))):
        raise typer.Exit(ExitCode.CONFIGURATION)


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return run_to_its_end(work)
    except BrokenPipeError:
        raise typer.Exit(ExitCode.READER_GONE) from None


def run(arguments: Sequence[str]) -> int:
    """Run ``vieneu`` with these arguments; return its exit code. Nothing is raised."""
    words = Words(choose_language(arguments, os.environ))
    _set_up_logs()
    try:
        return _code_of(arguments, words)
    finally:
        abandon_output()


def _code_of(arguments: Sequence[str], words: Words) -> int:
    try:
        code = app(args=list(arguments), prog_name="vieneu", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return ExitCode.READER_GONE
    except VieneuError as err:
        _complain(line(err, words.language))
        return exit_code(err)
    except (KeyboardInterrupt, typer.Abort):
        code = ExitCode.INTERRUPTED
    except Exception as err:  # noqa: BLE001 - the last one who could turn it into words
        return _unforeseen(err, words)
    if code == ExitCode.INTERRUPTED:
        _complain(words("interrupted"))
    return int(code or ExitCode.OK)


def _unforeseen(err: Exception, words: Words) -> int:
    """Tell of wrong usage; or of a bug, by its type alone: its words might hold a secret."""
    if hasattr(err, "format_message"):  # click's, whether typer brings its own click or not
        context = getattr(err, "ctx", None)
        command = context.command_path if context is not None else "vieneu"
        message = err.format_message().rstrip()
        if not message:  # a bare command: its help has been shown, and says it all
            return ExitCode.USAGE
        mark = "" if message.endswith((".", "?")) else "."
        see_help = words("see_help", command=command)
        _complain(f"{message}{mark} {see_help}")
        return ExitCode.USAGE
    if os.environ.get(DEBUG_VARIABLE):
        logging.getLogger(__name__).debug("Unexpected", exc_info=err)
    _complain(words("unexpected", kind=type(err).__name__))
    return ExitCode.UNEXPECTED


def _complain(text: str) -> None:
    with suppress(OSError):  # stderr may be gone as well
        sys.stderr.write(f"vieneu: {plain(text)}\n")
        sys.stderr.flush()


def _set_up_logs() -> None:
    """Keep logs apart from messages: shown only where VIENEU_DEBUG asks for them."""
    debug = bool(os.environ.get(DEBUG_VARIABLE))
    handler = logging.StreamHandler() if debug else logging.NullHandler()
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, handlers=[handler])
