"""Names of OpenAI's models and voices, which clients send by default.

No voice of theirs is here: each name of theirs stands for the default voice.
"""

from __future__ import annotations

from vieneu_core.errors import RequestError
from vieneu_core.translatable import Translatable

OWN_MODEL = "vieneu"
"""Name of the active backend as a model."""
OPENAI_MODELS = (
    "tts-1",
    "tts-1-hd",
    "tts-1-1106",
    "tts-1-hd-1106",
    "gpt-4o-mini-tts",
    "gpt-4o-mini-tts-2025-03-20",
    "gpt-4o-mini-tts-2025-12-15",
)
MODELS = (OWN_MODEL, *OPENAI_MODELS)
OPENAI_VOICES = frozenset(
    {
        *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"),
        *("marin", "nova", "onyx", "sage", "shimmer", "verse"),
    }
)


class ModelNotFoundError(RequestError):
    """No model of that name; the detail lists those that exist."""

    code = "model_not_found"
    title = "Unknown model"


def check_model(model: str) -> None:
    """Make sure that a model is known.

    Raises:
        ModelNotFoundError: it is not.
    """
    if model not in MODELS:
        raise ModelNotFoundError(
            Translatable(
                "The model {model!r} does not exist. Known models: {known}.",
                model=model,
                known=", ".join(MODELS),
            ),
            remedy=Translatable("Use the model {model}.", model=OWN_MODEL),
        )


def voice_id(voice: str) -> str | None:
    """Return the id of a voice of the backend; None, its default voice, for a name of OpenAI's."""
    return None if voice in OPENAI_VOICES else voice
