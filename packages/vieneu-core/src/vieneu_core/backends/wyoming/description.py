"""Description of a Wyoming server: the voices of its answer to ``describe``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from vieneu_core.errors import BadResponseError, ModelLoadError
from vieneu_core.synthesis import LANGUAGES
from vieneu_core.voices import Voice

_Name = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_Note = Annotated[str, StringConstraints(max_length=2_000)]


class _Voice(BaseModel):
    name: _Name
    description: _Note | None = None
    installed: bool = True
    languages: Annotated[list[_Note], Field(max_length=500)] = Field(default_factory=list)


class _Program(BaseModel):
    name: _Name
    version: _Note | None = None
    installed: bool = True
    voices: Annotated[list[_Voice], Field(max_length=2_000)] = Field(default_factory=list)


class _Info(BaseModel):
    tts: Annotated[list[_Program], Field(max_length=100)] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Description:
    """A server with speech synthesis."""

    program: str
    """Name and version of the program that speaks, for example ``piper 1.6.3``."""
    voices: tuple[Voice, ...]
    """At least one, each Vietnamese or English, in the server's order."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Description:
        """Return the description in the data of an ``info`` event.

        Raises:
            BadResponseError: it is not in the form of the protocol.
            ModelLoadError: the server has no voice for Vietnamese or English.
        """
        try:
            info = _Info.model_validate(data)
        except ValidationError as error:
            raise BadResponseError(
                "The Wyoming server's description of its voices is not in the protocol's form.",
                remedy="Update the server.",
            ) from error
        programs = [program for program in info.tts if program.installed]
        # A voice that has yet to be downloaded would keep the first listener waiting.
        listed = [voice for program in programs for voice in program.voices if voice.installed]
        voices = tuple(each for voice in listed for each in _supported(voice))
        if not voices:
            raise ModelLoadError(
                "The Wyoming server has no voice that speaks Vietnamese or English.",
                remedy="Choose a voice in the server, for example vi_VN-vais1000-medium of Piper.",
            )
        first = programs[0]
        program = f"{first.name} {first.version}" if first.version else first.name
        return cls(program, voices)


def _supported(voice: _Voice) -> Iterator[Voice]:
    """Yield the voice with its first supported language; none where it has no such language."""
    tags = [tag.replace("_", "-") for tag in voice.languages] or [LANGUAGES[0]]
    spoken = [tag for tag in tags if tag.partition("-")[0].lower() in LANGUAGES]
    yield from (Voice(voice.name, voice.description or voice.name, tag) for tag in spoken[:1])
