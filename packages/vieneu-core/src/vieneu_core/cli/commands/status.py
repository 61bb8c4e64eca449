"""``vieneu status``: shows the state of all backends, for people and for programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from vieneu_core.backends.base import BackendState, Health
from vieneu_core.cli.backends import gpu_memory, latency, load_all, loading_step
from vieneu_core.cli.console import (
    ConfigOption,
    JsonOption,
    LangOption,
    Terminal,
    facts_table,
    terminal_of,
)
from vieneu_core.cli.error_messages import plain, report_line
from vieneu_core.cli.event_loop import run_command
from vieneu_core.router import (
    BackendStatus,
    CircuitState,
    Mode,
    Pause,
    QuotaStatus,
    Router,
    RouterStatus,
)

WATCH_EVERY_S = 1.0
_NOTHING = "-"

_STYLES = {
    BackendState.READY: "green",
    BackendState.DEGRADED: "yellow",
    BackendState.SLOW: "yellow",
    BackendState.PAUSED: "yellow",
    BackendState.LOADING: "yellow",
    BackendState.DRAINING: "yellow",
    BackendState.UNLOADED: "dim",
    BackendState.NOT_CONFIGURED: "dim",
}


app = typer.Typer()


@app.command("status")
def status_command(
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch")] = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Show the state of all backends."""
    run_command(show_status(terminal_of(config, lang), as_json=as_json, watch=watch))


async def show_status(terminal: Terminal, *, as_json: bool, watch: bool) -> None:
    """Show all backends, once or repeatedly."""
    async with terminal.router(terminal.settings(), starts_all=True) as router:
        await load_all(router)
        if not watch:
            _print_status(terminal, router.status(), as_json=as_json)
        elif as_json or not terminal.out.is_terminal:
            while True:
                _print_status(terminal, router.status(), as_json=as_json)
                await asyncio.sleep(WATCH_EVERY_S)
        else:
            await _watch(terminal, router)


async def _watch(terminal: Terminal, router: Router) -> None:
    view = status_view(terminal, router.status())
    with Live(view, console=terminal.out, auto_refresh=False) as live:
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            live.update(status_view(terminal, router.status()), refresh=True)


def _print_status(terminal: Terminal, status: RouterStatus, *, as_json: bool) -> None:
    if as_json:
        facts = status.to_json()
        for backend in facts["backends"]:
            if backend["name"] != "remote" and backend["health"] is not None:
                # Those of this command.
                backend["health"] |= {"uptime_s": None, "worker_restarts": None}
        terminal.print_json(facts)
    else:
        terminal.out.print(status_view(terminal, status))


def status_view(terminal: Terminal, status: RouterStatus) -> RenderableType:
    """Render a status for 80 columns: one column for each backend, one row for each value."""
    messages = terminal.messages
    active = messages(f"backend_{status.active}")
    if status.fallback_active:
        active = messages("active_fallback", name=active)
    head = facts_table()
    head.add_row(messages("mode"), messages(f"backend_{status.mode}"))
    head.add_row(messages("active"), Text(active, style="yellow" if status.fallback_active else ""))
    if status.quota is not None:
        label, used = _quota(terminal, status.quota)
        head.add_row(label, used)
    parts: list[RenderableType] = [head, "", _backends(terminal, status)]
    errors = facts_table()
    for backend in status.backends:
        if backend.last_error is not None:
            line = report_line(backend.last_error, messages.language)
            errors.add_row(messages(f"backend_{backend.name}"), Text(line))
    if errors.row_count:
        parts += ["", errors]
    return Group(*parts)


def _backends(terminal: Terminal, status: RouterStatus) -> Table:
    messages = terminal.messages
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("", style="bold", no_wrap=True)
    for backend in status.backends:
        table.add_column(messages(f"backend_{backend.name}"), overflow="fold")
    for key, fact in _rows(terminal):
        cells = [fact(backend) for backend in status.backends]
        if key == "state" or any(str(cell) != _NOTHING for cell in cells):
            table.add_row(messages(key), *cells)
    return table


def _rows(terminal: Terminal) -> tuple[tuple[str, Callable[[BackendStatus], Text]], ...]:
    messages = terminal.messages

    def of_health(fact: Callable[[Health], str | None]) -> Callable[[BackendStatus], Text]:
        def cell(backend: BackendStatus) -> Text:
            text = fact(backend.health) if backend.health is not None else None
            return Text(plain(text) if text else _NOTHING)

        return cell

    def state(backend: BackendStatus) -> Text:
        style = _STYLES.get(backend.state, "red")
        return Text(f"● {messages(f'state_{backend.state}')}", style=style)

    def circuit(backend: BackendStatus) -> Text:
        closed = backend.circuit is CircuitState.CLOSED
        return Text(_NOTHING if closed else messages(f"circuit_{backend.circuit}"))

    def checked(backend: BackendStatus) -> Text:
        age = backend.checked_s_ago
        return Text(_NOTHING if age is None else messages.ago(age))

    def uptime(backend: BackendStatus) -> Text:
        # A local backend lives only as long as this command, so its uptime says nothing.
        if backend.name != Mode.REMOTE or backend.health is None:
            return Text(_NOTHING)
        return Text(_duration(terminal, backend.health.uptime_s) or _NOTHING)

    return (
        ("state", state),
        ("checked", checked),
        ("loading_step", of_health(lambda h: loading_step(h.loading, terminal.messages))),
        ("circuit", circuit),
        ("pause", lambda backend: _pause(terminal, backend.pause)),
        ("real_time_factor", lambda backend: _speed(terminal, backend.real_time_factor)),
        ("engine", of_health(lambda h: h.engine)),
        ("model", of_health(lambda h: h.model)),
        ("voice_not_there", of_health(lambda h: h.missing_voice)),
        ("version", of_health(lambda h: h.version)),
        ("latency", of_health(lambda h: latency(h, terminal.messages))),
        ("accelerator", of_health(lambda h: h.accelerator)),
        ("gpu_memory", of_health(lambda h: gpu_memory(h, terminal.messages))),
        ("uptime", uptime),
        ("remaining", of_health(lambda h: _duration(terminal, h.remaining_s))),
        ("queue", of_health(lambda h: str(h.queue_depth))),
    )


def _pause(terminal: Terminal, pause: Pause | None) -> Text:
    if pause is None:
        return Text(_NOTHING)
    return Text(_duration(terminal, pause.remaining_s) or terminal.messages("until_admin"))


def _speed(terminal: Terminal, factor: float | None) -> Text:
    return Text(_NOTHING if factor is None else terminal.messages.number(factor, 2))


def _duration(terminal: Terminal, seconds: float | None) -> str | None:
    return None if seconds is None else terminal.messages.duration(seconds)


def _quota(terminal: Terminal, quota: QuotaStatus) -> tuple[str, str]:
    messages = terminal.messages
    used = messages(
        "quota_used",
        requests=messages.number(quota.requests),
        max_requests=messages.number(quota.monthly_requests),
        megabytes=messages.number(quota.bytes / 1e6, 1),
        max_megabytes=messages.number(quota.monthly_bytes / 1e6),
        percent=messages.number(100 * quota.used, 1),
    )
    return messages("quota", month=quota.month), used
