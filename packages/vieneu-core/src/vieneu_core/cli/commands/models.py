"""``vieneu models`` and ``vieneu optimize``: download and pruning of model files."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from vieneu_core.cli.console import (
    ConfigOption,
    JsonOption,
    LangOption,
    Terminal,
    terminal_in_group,
    terminal_of,
)
from vieneu_core.cli.error_messages import plain
from vieneu_core.cli.event_loop import run_command
from vieneu_core.config import save_settings
from vieneu_core.engines.registry import check_installed, engine_of, model_option
from vieneu_core.errors import ConfigurationError, InvalidRequestError, ModelLoadError
from vieneu_core.models.catalogue import (
    MODELS,
    PUBLIC_FILE_BYTES,
    KnownModel,
    known_model,
    model_of,
    model_source,
)
from vieneu_core.models.download import OnDownload
from vieneu_core.models.hub import Hub, find_cached, hub_cache_dir
from vieneu_core.models.prune_vocabulary import OnPrune, check_trimmable, trim
from vieneu_core.models.source import ModelSource
from vieneu_core.translatable import Translatable

T = TypeVar("T")

app = typer.Typer()
models = typer.Typer()
app.add_typer(models, name="models")


@models.callback(invoke_without_command=True)
def models_command(
    context: typer.Context,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """List the models if there is no subcommand."""
    if context.invoked_subcommand is None:
        show_models(terminal_of(config, lang), as_json=as_json)


def show_models(terminal: Terminal, *, as_json: bool) -> None:
    """List the known models, and which of them are on this machine.

    Raises:
        ConfigurationError: the settings file given with ``--config`` is invalid.
    """
    terminal.check_named_settings()
    cache = hub_cache_dir(terminal.environ)
    found = ((model, find_cached(model.source, cache_dir=cache)) for model in MODELS)
    rows = [(model, path and model.path_in(path)) for model, path in found]
    if as_json:
        terminal.print_json(
            [
                {
                    "name": model.name,
                    "kind": model.kind,
                    "source": str(model.source),
                    "language": model.language or None,
                    "licence": model.licence,
                    "voices_licence": model.voices_licence or None,
                    "size_mb": model.size_mb,
                    "path": str(path) if path is not None else None,
                }
                for model, path in rows
            ],
        )
        return
    messages = terminal.messages
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for key in ("name", "kind", "size", "licence", "downloaded"):
        table.add_column(messages(key), overflow="fold", no_wrap=key == "name")
    for model, path in rows:
        size = f"{messages.number(model.size_mb)} MB" if model.size_mb is not None else "-"
        downloaded = Text("✓", style="green") if path is not None else Text("-")
        kind = f"{model.kind} ({model.language})" if model.language else model.kind
        table.add_row(model.name, kind, size, model.licences, downloaded)
    terminal.out.print(table)


@models.command("get")
def get_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument()],
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Download a model."""
    run_command(get_model(terminal_in_group(context, config, lang), name))


async def get_model(terminal: Terminal, name: str) -> None:
    """Download a model, and its preset voices if it has some.

    Raises:
        ConfigurationError: the settings file given with ``--config`` is invalid.
        InvalidRequestError: there is no such model.
        ModelLoadError: the download failed.
    """
    terminal.check_named_settings()
    with _as_wrong_request():
        source = model_source(name)
    terminal.print(str(await _fetched(terminal, source)))


async def _fetched(terminal: Terminal, source: ModelSource) -> Path:
    hub = Hub.of_environment(terminal.environ)
    known = model_of(source)
    if known is not None:
        terminal.note(_licence(known, terminal))
    if known is not None and known.is_public:
        hub = replace(hub, public=True, max_file_bytes=PUBLIC_FILE_BYTES)
    with _shown(terminal) as show:
        path = await asyncio.to_thread(hub.fetch, source, show)
        if known is not None and known.prompt is not None:  # a language model has preset voices
            await asyncio.to_thread(hub.fetch, known.voices, show)
    return path if known is None else known.path_in(path)


def _licence(model: KnownModel, terminal: Terminal) -> str:
    licences = {"licence": model.licence, "voices": model.voices_licence}
    key = "model_voices_licence" if model.voices_licence else "model_licence"
    return terminal.messages(key, name=model.name, **licences)


@models.command("use")
def use_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument()],
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Download a model, and let it be the local voice."""
    run_command(use_model(terminal_in_group(context, config, lang), name))


async def use_model(terminal: Terminal, name: str) -> None:
    """Download a known model, and name it with its engine in the settings.

    Raises:
        ConfigurationError: the settings file is invalid or cannot be written, or has options of
            another engine.
        InvalidRequestError: there is no such model, or none that speaks by itself.
        MissingExtraError: a package that its engine needs is not installed.
        ModelLoadError: the download failed.
    """
    local = terminal.settings().local
    with _as_wrong_request():
        model = known_model(name)
    engine = engine_of(model.kind)
    if engine is None:
        raise InvalidRequestError(
            Translatable("{name} does not speak by itself.", name=model.name),
            remedy="Name a voice or a language model out of: vieneu models",
        )
    check_installed(engine)
    if local.options and local.engine != engine:
        raise ConfigurationError(
            Translatable(
                "local.options in {path} are those of the engine {engine}.",
                path=terminal.path,
                engine=local.engine,
            ),
            remedy="Remove them, and run the command again.",
        )
    await _fetched(terminal, model.source)
    option = f"local.options.{model_option(engine)}"
    save_settings({"local.engine": engine, option: model.name}, terminal.path)
    terminal.print(terminal.messages("model_used", name=model.name, engine=engine))


@app.command("optimize")
def optimize_command(
    model: Annotated[Path, typer.Argument()],
    output: Annotated[Path | None, typer.Option("-o", "--output")] = None,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Write a smaller, faster model."""
    run_command(optimize(terminal_of(config, lang), model, output))


async def optimize(terminal: Terminal, source: Path, target: Path | None) -> None:
    """Write a model without the text tokens that phonemes never use.

    Raises:
        ConfigurationError: the settings file given with ``--config`` is invalid.
        InvalidRequestError: the source is no VieNeu model, or the target cannot be written.
        MissingExtraError: a required package is not installed.
    """
    terminal.check_named_settings()
    target = target or source.with_name(f"{source.stem}-trimmed{source.suffix}")
    with _shown(terminal) as show:
        reachable = await asyncio.to_thread(_reachable, source, show, terminal)
        with _as_wrong_request():
            report = await _stoppable(
                lambda progress: trim(source, target, reachable=reachable, progress=progress),
                lambda done, total: show(terminal.messages("writing_model"), done, total),
            )
    messages = terminal.messages
    terminal.print(
        messages(
            "trimmed",
            path=target,
            before=messages.number(report.bytes_before / 1e6),
            after=messages.number(report.bytes_after / 1e6),
            tokens_before=messages.number(report.tokens_before),
            tokens_after=messages.number(report.tokens_after),
        )
    )


async def _stoppable(work: Callable[[OnPrune], T], show: OnPrune) -> T:
    """Run work on a thread; cancellation ends it at its next step and waits for that."""
    stopped = threading.Event()

    def show_until_stopped(done: int, total: int) -> None:
        if stopped.is_set():
            raise InterruptedError
        show(done, total)

    running = asyncio.create_task(asyncio.to_thread(work, show_until_stopped))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stopped.set()
        await asyncio.wait((running,))
        running.exception()  # marks it as retrieved: the cancelled caller does not need it
        raise


def _reachable(source: Path, show: OnDownload, terminal: Terminal) -> Collection[int]:
    """Read every known word. It writes nothing, so cancellation need not wait for it."""
    from vieneu_core.engines.gguf.reachable_tokens import reachable_tokens
    from vieneu_core.models.gguf_header import check_vieneu_gguf
    from vieneu_core.text.phoneme_inventory import dictionary_phonemes

    with _as_wrong_request("Name a VieNeu model in GGUF format; vieneu models get downloads one."):
        check_vieneu_gguf(source)
    with _as_wrong_request():
        check_trimmable(source)
    reading = terminal.messages("reading_words")
    return reachable_tokens(
        source, dictionary_phonemes(), lambda n: show(f"{reading} {n}", None, None)
    )


@contextmanager
def _as_wrong_request(remedy: str = "") -> Iterator[None]:
    """Report a fault of the model as a wrong request instead of a failure of a backend."""
    try:
        yield
    except ModelLoadError as error:
        raise InvalidRequestError(error.detail, remedy=remedy or error.remedy) from error


@contextmanager
def _shown(terminal: Terminal) -> Iterator[OnDownload]:
    """Show progress on a terminal; elsewhere nothing."""
    if not terminal.err.is_terminal:
        yield lambda *_: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    with Progress(*columns, console=terminal.err, transient=True) as progress:
        task = progress.add_task("", total=None)

        def show(step: str, done: int | None, total: int | None) -> None:
            progress.update(task, description=plain(step), completed=done or 0, total=total)

        yield show
