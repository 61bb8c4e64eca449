"""Configuration of a Piper voice: the ``.onnx.json`` beside its graph. Untrusted, so it is bounded.

Format: https://github.com/OHF-Voice/piper1-gpl (``piper/config.py`` of 1.8), and the files of
https://huggingface.co/rhasspy/piper-voices.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.local_files import read_magic, unreadable
from vieneu_core.text.clean import one_line
from vieneu_core.translatable import Translatable
from vieneu_core.validation import conflict, field_of, reason_of

MAX_CONFIG_BYTES = 1_000_000
"""Those of the repository have 4 to 60 kB."""
MAX_SPEAKERS = 2_000
"""The largest voice of the repository has 904."""
TONE_MARKS = frozenset("2456")
"""eSpeak's phonemes for four of the six Vietnamese tones (huyền, hỏi, ngã, nặng). The other two
have none of their own: ngang is unmarked, and sắc is the vowel ɜ, which every voice knows."""

_MOST_PHONEMES = 2_000
_EDGES = ("_", "^", "$")
"""Padding, begin and end of a sentence, which Piper takes for granted."""
_Scale = Annotated[float, Field(ge=0, le=10)]


class _Part(BaseModel):
    # Other members are kept as they are: later versions of Piper have more.
    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)


class _Audio(_Part):
    sample_rate: int = Field(ge=8_000, le=48_000)


class _Espeak(_Part):
    voice: str = Field(pattern=r"^[A-Za-z][\w+.-]{0,39}$")


class _Inference(_Part):
    noise_scale: _Scale = 0.667
    length_scale: Annotated[float, Field(gt=0, le=10)] = 1.0
    noise_w: _Scale = 0.8


class VoiceConfig(_Part):
    """A voice's configuration, as far as it is used here."""

    audio: _Audio
    espeak: _Espeak
    num_symbols: int = Field(ge=1, le=100_000)
    num_speakers: int = Field(ge=1, le=MAX_SPEAKERS)
    phoneme_id_map: dict[
        Annotated[str, Field(max_length=20)], Annotated[list[int], Field(max_length=20)]
    ] = Field(min_length=1, max_length=_MOST_PHONEMES)
    speaker_id_map: dict[Annotated[str, Field(max_length=200)], int] = Field(
        default={}, max_length=MAX_SPEAKERS
    )
    # Piper has more, for languages that need packages of their own.
    phoneme_type: Literal["espeak", "text"] = "espeak"
    inference: _Inference = _Inference()
    dataset: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        ids = self.phoneme_id_map.values()
        if any(not 0 <= each < self.num_symbols for group in ids for each in group):
            raise conflict("phoneme_id_map", "an id is out of range")
        if any(not self.phoneme_id_map.get(edge) for edge in _EDGES):
            raise conflict("phoneme_id_map", "the marks of a sentence's ends are missing")
        if any(not 0 <= each < self.num_speakers for each in self.speaker_id_map.values()):
            raise conflict("speaker_id_map", "an id is out of range")
        return self

    @property
    def language(self) -> str:
        """Primary language tag, such as ``vi``."""
        return self.espeak.voice.partition("-")[0].lower()

    @property
    def has_all_tones(self) -> bool:
        """Whether the voice distinguishes the tones of its language, which Vietnamese has."""
        if self.language != "vi" or self.phoneme_type == "text":
            return True
        return self.phoneme_id_map.keys() >= TONE_MARKS

    @property
    def speakers(self) -> tuple[tuple[str, int], ...]:
        """Name and id of each speaker; of a speaker without a name, its number."""
        names = {number: one_line(name) for name, number in self.speaker_id_map.items()}
        numbers = range(self.num_speakers)
        return tuple((names.get(number) or str(number), number) for number in numbers)

    def for_piper(self) -> dict[str, Any]:
        """Return it as ``PiperConfig.from_dict`` takes it."""
        return self.model_dump()


def config_path(model: Path) -> Path:
    """Return the path of the configuration of a voice."""
    return model.with_name(f"{model.name}.json")


def read_config(model: Path) -> VoiceConfig:
    """Read the configuration beside a voice's graph.

    Raises:
        ModelLoadError: it is missing, too large, or no configuration of a voice.
    """
    path = config_path(model)
    try:
        read_magic(path)  # refuses what is no ordinary file
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(content) > MAX_CONFIG_BYTES:
        raise _no_config(
            path, Translatable("It is larger than {most:.0f} MB.", most=MAX_CONFIG_BYTES / 1e6)
        )
    try:
        return VoiceConfig.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    reason = reason_of(first)
    field = field_of(first)
    where = f"{one_line(field)[:100]}: " if field else ""
    raise _no_config(path, Translatable("{where}{reason}.", where=where, reason=reason))


def _no_config(path: Path, why: str) -> ModelLoadError:
    return ModelLoadError(
        Translatable("{path} is no configuration of a Piper voice. {why}", path=path, why=why),
        remedy="Download the voice again, or name another in the option voice.",
    )
