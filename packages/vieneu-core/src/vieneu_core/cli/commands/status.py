"""``vieneu status`` and ``vieneu voices``: what there is, for people and for programs."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable, Collection, Iterable, Sequence

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from vieneu_core.audio.pcm import Speaker
from vieneu_core.backends.base import BackendState, Health
from vieneu_core.cli.console import Terminal, facts_table, plain
from vieneu_core.cli.exit_codes import report_line
from vieneu_core.config import voices_dir
from vieneu_core.engines.base import LoadProgress
from vieneu_core.errors import BackendError
from vieneu_core.router import (
    BackendStatus,
    CircuitState,
    Mode,
    QuotaStatus,
    Router,
    RouterStatus,
)
from vieneu_core.voices import Voice

WATCH_EVERY_S = 1.0
SETTLE_S = 15.0
"""How long a look waits for backends that are still loading."""
_NOTHING = "-"

_STYLES = {
    BackendState.READY: "green",
    BackendState.DEGRADED: "yellow",
    BackendState.LOADING: "yellow",
    BackendState.DRAINING: "yellow",
    BackendState.UNLOADED: "dim",
    BackendState.NOT_CONFIGURED: "dim",
}


async def show_voices(terminal: Terminal, *, as_json: bool) -> None:
    """List the voices of the backend that speaks next, those that were added marked."""
    from vieneu_core.voices.catalogue import VoiceCatalogue

    catalogue = VoiceCatalogue(voices_dir(terminal.environ))
    own = await asyncio.to_thread(catalogue.voices)
    async with terminal.router(terminal.settings()) as router:
        await router.load()
        voices = await router.voices()
        warn_of_missing_voice(terminal, router.status())
    if as_json:
        print_json(terminal, [dataclasses.asdict(voice) for voice in voices])
        return
    terminal.out.print(_voices(terminal, voices, own))
    silent = [voice.id for voice in own if voice not in voices]
    if silent:
        terminal.note(terminal.words("own_voices_silent", ids=", ".join(silent)))


def _voices(terminal: Terminal, voices: Sequence[Voice], own: Collection[Voice]) -> Table:
    words = terminal.words
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    for key in ("voice", "name", "language"):
        table.add_column(words(key), overflow="fold")
    table.add_column("")
    for voice in voices:
        mark = words("own_voice") if voice in own else ""
        cells = (voice.id, voice.name, voice.language, mark)
        table.add_row(*(Text(plain(cell)) for cell in cells))
    return table


async def show_status(terminal: Terminal, *, as_json: bool, watch: bool) -> None:
    """Show all backends, once or again and again."""
    async with terminal.router(terminal.settings()) as router:
        await load_all(router)
        if not watch:
            _print_status(terminal, router.status(), as_json=as_json)
        elif as_json or not terminal.out.is_terminal:
            while True:
                _print_status(terminal, router.status(), as_json=as_json)
                await asyncio.sleep(WATCH_EVERY_S)
        else:
            await _watch(terminal, router)


async def load_all(router: Router) -> None:
    """Load everything that can be loaded; what cannot says so in the router's status."""
    try:
        await router.load()
        async with asyncio.timeout(SETTLE_S):
            while any(  # noqa: ASYNC110 - a backend that is loaded publishes no event
                b.state is BackendState.LOADING for b in router.status().backends
            ):
                await asyncio.sleep(0.02)
    except (BackendError, TimeoutError):
        return


def warn_of_missing_voice(
    terminal: Terminal, status: RouterStatus, speakers: Iterable[Speaker] | None = None
) -> None:
    """Note that the default voice of the settings is missing, where it should have spoken.

    Args:
        terminal: Where to note it.
        status: Tells which backend lacks its default voice.
        speakers: Who spoke without being named; None notes it in any case.
    """
    for backend in status.backends:
        missing = backend.health.missing_voice if backend.health is not None else None
        if missing is None:
            continue
        spoke = sorted({s.voice for s in speakers or () if s.backend == backend.name} - {missing})
        if spoke:
            terminal.note(
                terminal.words("missing_voice_spoken", voice=missing, spoke=", ".join(spoke))
            )
        elif speakers is None:
            terminal.note(terminal.words("missing_voice", voice=missing))


def print_json(terminal: Terminal, value: object) -> None:
    """Print one line of JSON."""
    text = json.dumps(value, ensure_ascii=False)
    terminal.out.print(Text(text), soft_wrap=True)


async def _watch(terminal: Terminal, router: Router) -> None:
    view = status_view(terminal, router.status())
    with Live(view, console=terminal.out, auto_refresh=False) as live:
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            live.update(status_view(terminal, router.status()), refresh=True)


def _print_status(terminal: Terminal, status: RouterStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(terminal, status.to_json())
    else:
        terminal.out.print(status_view(terminal, status))


def status_view(terminal: Terminal, status: RouterStatus) -> RenderableType:
    """Lay a status out for 80 columns: one column for each backend, one row for each fact."""
    words = terminal.words
    active = words(f"backend_{status.active}")
    if status.fallback_active:
        active = words("active_stand_in", name=active)
    head = facts_table()
    head.add_row(words("mode"), words(f"backend_{status.mode}"))
    head.add_row(words("active"), Text(active, style="yellow" if status.fallback_active else ""))
    if status.budget is not None:
        label, used = _budget(terminal, status.budget)
        head.add_row(label, used)
    parts: list[RenderableType] = [head, "", _backends(terminal, status)]
    errors = facts_table()
    for backend in status.backends:
        if backend.last_error is not None:
            told = report_line(backend.last_error, words.language)
            errors.add_row(words(f"backend_{backend.name}"), Text(told))
    if errors.row_count:
        parts += ["", errors]
    return Group(*parts)


def _backends(terminal: Terminal, status: RouterStatus) -> Table:
    words = terminal.words
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("", style="bold", no_wrap=True)
    for backend in status.backends:
        table.add_column(words(f"backend_{backend.name}"), overflow="fold")
    for key, fact in _rows(terminal):
        cells = [fact(backend) for backend in status.backends]
        if key == "state" or any(str(cell) != _NOTHING for cell in cells):
            table.add_row(words(key), *cells)
    return table


def _rows(terminal: Terminal) -> tuple[tuple[str, Callable[[BackendStatus], Text]], ...]:
    words = terminal.words

    def of_health(fact: Callable[[Health], str | None]) -> Callable[[BackendStatus], Text]:
        def cell(backend: BackendStatus) -> Text:
            text = fact(backend.health) if backend.health is not None else None
            return Text(plain(text) if text else _NOTHING)

        return cell

    def state(backend: BackendStatus) -> Text:
        style = _STYLES.get(backend.state, "red")
        return Text(f"● {words(f'state_{backend.state}')}", style=style)

    def circuit(backend: BackendStatus) -> Text:
        closed = backend.circuit is CircuitState.CLOSED
        return Text(_NOTHING if closed else words(f"circuit_{backend.circuit}"))

    def checked(backend: BackendStatus) -> Text:
        age = backend.checked_s_ago
        return Text(_NOTHING if age is None else words("ago", duration=words.duration(age)))

    def uptime(backend: BackendStatus) -> Text:
        # A backend of this machine lives as long as this command: that says nothing.
        if backend.name != Mode.REMOTE or backend.health is None:
            return Text(_NOTHING)
        return Text(_duration(terminal, backend.health.uptime_s) or _NOTHING)

    return (
        ("state", state),
        ("checked", checked),
        ("loading_step", of_health(lambda h: loading_step(terminal, h.loading))),
        ("circuit", circuit),
        ("engine", of_health(lambda h: h.engine)),
        ("model", of_health(lambda h: h.model)),
        ("voice_not_there", of_health(lambda h: h.missing_voice)),
        ("version", of_health(lambda h: h.version)),
        ("latency", of_health(lambda h: _latency(terminal, h))),
        ("accelerator", of_health(lambda h: h.accelerator)),
        ("gpu_memory", of_health(lambda h: gpu_memory(terminal, h))),
        ("uptime", uptime),
        ("remaining", of_health(lambda h: _duration(terminal, h.remaining_s))),
        ("queue", of_health(lambda h: str(h.queue_depth))),
    )


def _latency(terminal: Terminal, health: Health) -> str | None:
    if not health.latency_ms:
        return None
    return f"{terminal.words.number(health.latency_ms)} ms"


def loading_step(terminal: Terminal, progress: LoadProgress | None) -> str | None:
    """Write how far a load has come."""
    words = terminal.words
    if progress is None:
        return None
    if progress.done_bytes is None:
        return words("loading_model")
    done = words.number(progress.done_bytes / 1e6)
    if progress.total_bytes is None:
        return words("downloading", done=done)
    return words("downloading_of", done=done, total=words.number(progress.total_bytes / 1e6))


def gpu_memory(terminal: Terminal, health: Health) -> str | None:
    """Write the memory of a device: used of total."""
    used, total = health.gpu_memory_used_gb, health.gpu_memory_total_gb
    if used is None:
        return None
    text = terminal.words.number(used, 1)
    return f"{text} / {terminal.words.number(total, 1)} GB" if total is not None else f"{text} GB"


def _duration(terminal: Terminal, seconds: float | None) -> str | None:
    return None if seconds is None else terminal.words.duration(seconds)


def _budget(terminal: Terminal, budget: QuotaStatus) -> tuple[str, str]:
    words = terminal.words
    used = words(
        "budget_used",
        requests=words.number(budget.requests),
        max_requests=words.number(budget.monthly_requests),
        megabytes=words.number(budget.bytes / 1e6, 1),
        max_megabytes=words.number(budget.monthly_bytes / 1e6),
        percent=words.number(100 * budget.used, 1),
    )
    return words("budget", month=budget.month), used
