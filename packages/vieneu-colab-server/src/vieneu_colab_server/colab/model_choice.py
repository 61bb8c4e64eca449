"""Cell 5: the engine with the model that the form names, and the progress of its load."""

from __future__ import annotations

from vieneu_colab_server.colab.ipython_errors import short_traceback
from vieneu_core.engines.registry import model_option
from vieneu_core.i18n import Messages
from vieneu_core.wire.schemas import HealthAnswer
from vieneu_core.worker.spec import EngineSpec


@short_traceback
def choose_model(
    engine: str, *, model: str = "", codec: str = "", language: str = "vi"
) -> EngineSpec:
    """Return an engine and its options. `start` loads it, once, in the server's process.

    Args:
        engine: Result of `prepare`.
        model: Its option that names its model; empty means its default.
        codec: Its option ``codec``; empty means its default.
        language: Language of an error.
    """
    del language
    given = {model_option(engine): model.strip(), "codec": codec.strip()}
    return EngineSpec(engine, {name: value for name, value in given.items() if value})


def loading_text(seen: HealthAnswer, messages: Messages) -> str:
    """Return the progress of a load in one line, without steps, which are in English."""
    if seen.model_loaded:
        return messages("model_here", model=seen.model or seen.engine or "")
    if seen.downloaded_bytes is None:
        return messages("loading_model")
    done = messages.number(seen.downloaded_bytes / 1e6)
    if not seen.download_bytes:
        return messages("fetched", done=done)
    return messages("fetched_of", done=done, total=messages.number(seen.download_bytes / 1e6))
