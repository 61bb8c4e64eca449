"""Functions that several commands share: loading backends, and describing their state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from vieneu_core.backends.base import BackendState, Health
from vieneu_core.cli.console import Terminal
from vieneu_core.config.settings import EMBEDDED_ENGINE, Settings
from vieneu_core.engines.registry import ESPEAK
from vieneu_core.errors import BackendError
from vieneu_core.i18n import Messages
from vieneu_core.router import LAST_RESORT, Mode, Router, RouterStatus

if TYPE_CHECKING:
    from vieneu_core.audio.pcm import Speaker
    from vieneu_core.engines.base import LoadProgress

_LOAD_TIMEOUT_S = 15.0
"""Backends that take longer to load are shown as loading."""


async def load_all(router: Router) -> None:
    """Load all backends; failures are in the router's status."""
    try:
        await router.load()
        async with asyncio.timeout(_LOAD_TIMEOUT_S):
            while any(  # noqa: ASYNC110 - a backend that is loaded publishes no event
                b.state is BackendState.LOADING for b in router.status().backends
            ):
                await asyncio.sleep(0.02)
    except (BackendError, TimeoutError):
        return


def note_missing_voice(
    terminal: Terminal, status: RouterStatus, speakers: Iterable[Speaker] | None = None
) -> None:
    """Print a note if the default voice of the settings is missing and should have spoken.

    Args:
        terminal: Terminal of the command.
        status: Status of the router, with the missing default voice of each backend.
        speakers: Speakers of a request that named no voice; None prints the note in any case.
    """
    for backend in status.backends:
        missing = backend.health.missing_voice if backend.health is not None else None
        if missing is None:
            continue
        spoke = sorted({s.voice for s in speakers or () if s.backend == backend.name} - {missing})
        if spoke:
            terminal.note(
                terminal.messages("missing_voice_spoken", voice=missing, spoke=", ".join(spoke))
            )
        elif speakers is None:
            terminal.note(terminal.messages("missing_voice", voice=missing))


async def note_voice_download(
    terminal: Terminal, settings: Settings, speakers: Iterable[Speaker]
) -> None:
    """Print a note if eSpeak spoke because the embedded neural voice could not be downloaded."""
    embedded = {LAST_RESORT}
    if settings.local.engine == EMBEDDED_ENGINE:
        embedded.add(Mode.LOCAL.value)
    if not any(each.engine == ESPEAK and each.backend in embedded for each in speakers):
        return
    from vieneu_core.engines.sano.voice_state import voice_state

    state = await asyncio.to_thread(voice_state, terminal.environ)
    if state.failure:
        note = terminal.messages(
            "voice_not_downloaded", why=state.failure.rstrip("."), command=state.command
        )
        terminal.note(note)


def loading_step(progress: LoadProgress | None, messages: Messages) -> str | None:
    """Describe the progress of a load; None if nothing is loading."""
    if progress is None:
        return None
    if progress.done_bytes is None:
        return messages("loading_model")
    done = messages.number(progress.done_bytes / 1e6)
    if progress.total_bytes is None:
        return messages("downloading", done=done)
    return messages("downloading_of", done=done, total=messages.number(progress.total_bytes / 1e6))


def latency(health: Health, messages: Messages) -> str | None:
    """Describe the latency; None if it was not measured."""
    return f"{messages.number(health.latency_ms)} ms" if health.latency_ms else None


def gpu_memory(health: Health, messages: Messages) -> str | None:
    """Describe the memory of the GPU, used of total; None if it is unknown."""
    used, total = health.gpu_memory_used_gb, health.gpu_memory_total_gb
    if used is None:
        return None
    text = messages.number(used, 1)
    return f"{text} / {messages.number(total, 1)} GB" if total is not None else f"{text} GB"
