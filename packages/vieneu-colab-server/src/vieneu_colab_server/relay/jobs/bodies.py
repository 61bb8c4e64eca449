"""Bodies of requests for a job: JSON, or a form with a file. The text is not yet read."""

from __future__ import annotations

import asyncio
import base64
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.datastructures import FormData, UploadFile

from vieneu_colab_server.relay.jobs.job import Fallback, JobFormat, JobSpec
from vieneu_colab_server.relay.jobs.script import ScriptKind, decoded
from vieneu_core.audio.encode import AudioFormat
from vieneu_core.errors import InvalidRequestError
from vieneu_core.synthesis import MAX_LANGUAGE_LENGTH, MAX_SPEED, MIN_SPEED
from vieneu_core.text.clean import one_line
from vieneu_core.untrusted_json import parse_json
from vieneu_core.validation import conflict

MAX_NAME_CHARS = 100
MAX_VOICE_CHARS = 200
MAX_SPEAKERS = 64
SAMPLE = "voice_sample_path"
_Name = Annotated[str, Field(min_length=1, max_length=MAX_VOICE_CHARS)]


class JobBody(BaseModel):
    """Body of ``POST /jobs``. Exactly one of ``text``, ``srt`` and ``dialogue``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str | None = Field(
        default=None,
        description="Plain text; a blank line ends a paragraph.",
        examples=["Chương một.\n\nNgày xửa ngày xưa, có hai chị em."],
    )
    srt: str | None = Field(
        default=None,
        description="Content of an .srt file; each subtitle is spoken at its time.",
        examples=[None],
    )
    dialogue: str | None = Field(
        default=None,
        description="Turns such as `Lan: Xin chào.`, each beginning on a line of its own.",
        examples=[None],
    )
    voices: dict[_Name, _Name] = Field(
        default_factory=dict,
        max_length=MAX_SPEAKERS,
        description="Of a dialogue: the id of a voice for each speaker; a sample speaks for "
        "the others.",
        examples=[{}],
    )
    voice: _Name | None = Field(
        default=None, description="Id of a voice from GET /voices.", examples=["vi-north"]
    )
    voice_sample_path: str | None = Field(
        default=None,
        repr=False,
        description="A file inside the samples folder, or base64 audio: its voice speaks what has "
        "no voice of its own. In a form also a file.",
        examples=[None],
    )
    voice_transcript: str | None = Field(
        default=None, repr=False, description="What is said in the sample.", examples=[None]
    )
    format: JobFormat = Field(default=AudioFormat.MP3, examples=["mp3"])
    language: str = Field(default="vi", max_length=MAX_LANGUAGE_LENGTH, examples=["vi"])
    speed: float = Field(default=1.0, ge=MIN_SPEED, le=MAX_SPEED)
    watermark: bool = False
    fallback: Fallback = Field(
        default=Fallback.WAIT,
        description="What to do while only a fallback could speak.",
        examples=["wait"],
    )
    name: str = Field(default="", max_length=MAX_NAME_CHARS, description="For people.")

    @model_validator(mode="after")
    def _is_one_thing(self) -> JobBody:
        given = [kind for kind in ScriptKind if getattr(self, kind.value) is not None]
        if len(given) != 1:
            raise conflict("text", "exactly one of text, srt and dialogue must be given")
        if self.voices and given[0] is not ScriptKind.DIALOGUE:
            raise conflict("voices", "they are for a dialogue; use voice")
        return self

    @property
    def script(self) -> tuple[ScriptKind, str]:
        """The text, and what it is."""
        texts = ((kind, getattr(self, kind.value)) for kind in ScriptKind)
        return next((kind, text) for kind, text in texts if text is not None)

    @property
    def spec(self) -> JobSpec:
        """All of it but the text."""
        return JobSpec(
            kind=self.script[0],
            format=self.format,
            name=one_line(self.name),
            voice=self.voice,
            voices=self.voices,
            language=self.language,
            speed=self.speed,
            watermark=self.watermark,
            fallback=self.fallback,
        )


def body_of_json(content: bytes) -> JobBody:
    """Return the body that JSON holds; a form has its numbers as texts, JSON has not.

    Raises:
        RequestValidationError: it holds none.
    """
    try:
        return JobBody.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise _invalid(error) from error


async def body_of_form(form: FormData) -> JobBody:
    """Return the body that a form holds: its fields, and ``file`` in the place of the text.

    Reference audio is a file too, or a field.

    The suffix of the file or the field ``kind`` says what the text is; ``voices`` is JSON.

    Raises:
        RequestValidationError: it holds none.
        InvalidRequestError: the file is no text, or a field is no JSON.
    """
    fields: dict[str, Any] = {}
    for key, value in form.multi_items():
        if key in fields:
            raise InvalidRequestError("A field of the form is there twice.")
        is_file = isinstance(value, UploadFile)
        if is_file != (key == "file") and key != SAMPLE:
            raise InvalidRequestError(
                "The form must hold one file in the field named file, and reference audio, if any,"
                " in voice_sample_path."
            )
        if value != "" and not (
            key == SAMPLE and _is_not_filled_in(value)
        ):  # a field of a page that was not filled in
            fields[key] = value
    if isinstance(file := fields.pop("file", None), UploadFile):
        suffix = PurePosixPath(file.filename or "").suffix.lower()
        default = ScriptKind.SRT if suffix == ".srt" else ScriptKind.TEXT
        kind = fields.pop("kind", default.value)
        if kind not in {known.value for known in ScriptKind} or kind in fields:
            raise InvalidRequestError("The field kind must be text, srt or dialogue.")
        fields[kind] = await asyncio.to_thread(decoded, await file.read())
        fields.setdefault("name", PurePosixPath(file.filename or "").stem[:MAX_NAME_CHARS])
    if isinstance(sample := fields.get(SAMPLE), UploadFile):
        fields[SAMPLE] = base64.b64encode(await sample.read()).decode()
    if "voices" in fields:
        fields["voices"] = _json(fields["voices"])
    try:
        return JobBody.model_validate(fields)
    except ValidationError as error:
        raise _invalid(error) from error


def _is_not_filled_in(value: UploadFile | str) -> bool:
    """Whether a browser sent the field of a file that was not chosen."""
    return isinstance(value, UploadFile) and not value.filename and not value.size


def _json(text: str) -> object:
    try:
        return parse_json(text)
    except ValueError as error:
        raise InvalidRequestError("The field voices must be an object in JSON.") from error


def _invalid(error: ValidationError) -> RequestValidationError:
    found = error.errors(include_url=False, include_input=False)
    return RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in found])
