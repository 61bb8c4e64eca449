"""Cell 4: downloads the model of an engine, and shows the progress."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from contextlib import suppress

from vieneu_colab_server.colab.display import Line
from vieneu_colab_server.colab.ipython_errors import short_traceback
from vieneu_colab_server.colab.loop_thread import LoopThread
from vieneu_colab_server.i18n import cell_messages
from vieneu_core.backends.local import LocalBackend
from vieneu_core.engines.base import LoadProgress
from vieneu_core.engines.registry import model_option
from vieneu_core.i18n import Messages
from vieneu_core.worker.spec import EngineSpec

HEALTH_CHECK_EVERY_S = 0.5


@short_traceback
def fetch_model(
    engine: str, *, model: str = "", codec: str = "", language: str = "vi"
) -> EngineSpec:
    """Load an engine once in its own process, so that all its files are downloaded.

    Args:
        engine: Result of `prepare`.
        model: Its option that names its model; empty means its default.
        codec: Its option ``codec``; empty means its default.
        language: ``vi`` or ``en``, for the output.

    Returns:
        Argument for `start`.

    Raises:
        ModelLoadError: the model cannot be downloaded or loaded.
    """
    messages = cell_messages(language)
    given = {model_option(engine): model.strip(), "codec": codec.strip()}
    spec = EngineSpec(engine, {name: value for name, value in given.items() if value})
    print(messages("fetching"))
    line, shown = Line(), queue.SimpleQueue[str]()
    loop = LoopThread()
    try:
        name = loop.call(
            _loaded(spec, lambda progress: shown.put(_described(progress, messages))),
            lambda: _show_last(shown, line),
        )
    finally:
        loop.close()
    line.show(messages("model_here", model=name))
    return spec


def _show_last(texts: queue.SimpleQueue[str], line: Line) -> None:
    text = None
    while not texts.empty():
        text = texts.get()
    if text is not None:
        line.show(text)


async def _loaded(spec: EngineSpec, notify: Callable[[LoadProgress], None]) -> str:
    backend = LocalBackend(spec)
    loading = asyncio.create_task(backend.load())
    try:
        while not loading.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(loading), HEALTH_CHECK_EVERY_S)
            health = await backend.health()
            if health.loading is not None:
                notify(health.loading)
        await loading
        health = await backend.health()
        return health.model or spec.target
    finally:
        await backend.aclose()


def _described(progress: LoadProgress, messages: Messages) -> str:
    if progress.done_bytes is None:
        return progress.step
    done = messages.number(progress.done_bytes / 1e6)
    if not progress.total_bytes:
        return messages("fetched", step=progress.step, done=done)
    total = messages.number(progress.total_bytes / 1e6)
    return messages("fetched_of", step=progress.step, done=done, total=total)
