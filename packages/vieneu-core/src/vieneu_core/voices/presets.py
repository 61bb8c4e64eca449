"""Preset voices that come with a model: its ``voices.json``, in upstream's layout.

{"default_voice": "An",
 "presets": {"An": {"codes": [0, 65535, …], "text": "…", "description": "…"}}}
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError
from pydantic_core import ErrorDetails

from vieneu_core.errors import ModelLoadError
from vieneu_core.text.clean import has_speech, one_line
from vieneu_core.translatable import Translatable
from vieneu_core.validation import field_of, reason_of
from vieneu_core.voices.voice import Voice

MOST_CODES = 1_500
"""Half a minute of codes."""
MAX_PRESETS_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A preset voice, with the codes and transcript for a model."""

    voice: Voice
    codes: tuple[int, ...] = field(repr=False)
    """Codes from 0 to 65 535, 50 a second."""
    transcript: str
    """Transcript of the clip that was encoded."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    codes: list[Annotated[StrictInt, Field(ge=0, le=0xFFFF)]] = Field(
        min_length=1, max_length=MOST_CODES
    )
    text: str = Field(min_length=1, max_length=2000)
    description: str = Field(default="", max_length=500)


class _Layout(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    default_voice: str | None = None
    presets: dict[Annotated[str, Field(min_length=1, max_length=100)], _Entry] = Field(min_length=1)


def read_presets(path: Path) -> tuple[Preset, ...]:
    """Read the presets, the default one first; at least one.

    Raises:
        ModelLoadError: the file is missing or invalid.
    """
    try:
        if path.stat().st_size > MAX_PRESETS_BYTES:
            raise _invalid(path, "it is far too large")
        layout = _Layout.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelLoadError(
            Translatable(
                "The voices {path} cannot be read: {error}.", path=path, error=error.strerror
            ),
            remedy="Put the model's voices.json there, or name another in the option voices.",
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _invalid(path, _description(first)) from None
    presets = [_preset(path, name, entry) for name, entry in layout.presets.items()]
    if len({preset.voice.id for preset in presets}) < len(presets):
        raise _invalid(path, "presets: two of them have the same name")
    default = one_line(layout.default_voice or "")
    presets.sort(key=lambda preset: preset.voice.id != default)
    return tuple(presets)


def _preset(path: Path, name: str, entry: _Entry) -> Preset:
    if not has_speech(entry.text):
        raise _invalid(
            path, Translatable("presets.{name}.text: there is nothing to speak in it", name=name)
        )
    voice_id = one_line(name)
    if not voice_id:
        raise _invalid(path, "presets: one of them has no name")
    return Preset(
        voice=Voice(id=voice_id, name=one_line(entry.description) or voice_id, language="vi"),
        codes=tuple(entry.codes),
        transcript=one_line(entry.text),
    )


def _description(error: ErrorDetails) -> str:
    field, reason = field_of(error)[:200], reason_of(error)
    return Translatable("{field}: {reason}", field=field, reason=reason) if field else reason


def _invalid(path: Path, why: str) -> ModelLoadError:
    return ModelLoadError(
        Translatable(
            "The voices {path} are not those of a VieNeu-TTS model: {why}.", path=path, why=why
        ),
        remedy="Use the voices.json that belongs to the model.",
    )
