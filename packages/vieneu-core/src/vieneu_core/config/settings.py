"""All settings with their defaults and bounds. Storage is in `store`.

A field's ``description`` completes the sentence "Write ..."; it is shown for a wrong value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from vieneu_core.audio.pauses import MAX_PAUSE_S, NATURAL_PAUSES, Pauses
from vieneu_core.config.validation_message import Finding
from vieneu_core.credentials import AuthToken, EndpointUrl, WyomingUrl
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable
from vieneu_core.validation import conflict, invalid, not_one_of

EMBEDDED_ENGINE = "embedded"
"""The engine of the embedded voice, which needs neither a model nor a network."""
ENDPOINT_URL_VARIABLE = "COLAB_ENDPOINT_URL"
AUTH_TOKEN_VARIABLE = "COLAB_AUTH_TOKEN"  # noqa: S105 - the name of a variable, not a token

WITH_DETAILS = {"errors": "pydantic"}
"""Validation context that raises pydantic's own error, with the location of each value."""

FORMER_SECTIONS = {"budget": "quota"}
"""Former names of renamed sections; deprecated, but still read."""

FallbackName = Literal["local", "remote", "last_resort"]


def _each_once(order: tuple[FallbackName, ...]) -> tuple[FallbackName, ...]:
    if len(set(order)) != len(order):
        raise invalid("order", "a name appears twice")
    return order


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False
    )

    @model_validator(mode="wrap")
    @classmethod
    def _translate_error(
        cls, values: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        """Raise our own error for a wrong value, except with `WITH_DETAILS`."""
        if info.context is WITH_DETAILS:
            return handler(values)
        try:
            return handler(values)
        except ValidationError as err:
            finding = Finding.of(err.errors(include_url=False)[0], cls)
        where = ".".join(filter(None, (cls.__name__, finding.field)))
        # Not chained: pydantic's error contains the values, and one of them may be the token.
        raise ConfigurationError(
            Translatable("{where}: {found}.", where=where, found=finding.found),
            remedy=finding.remedy,
        )


class ColabSettings(_Section):
    """The remote server: on Colab, or anywhere else."""

    enabled: bool = Field(default=False, description="true or false")
    endpoint_url: EndpointUrl = Field(
        default="", description='the URL alone, for example "https://abc123.ngrok-free.app"'
    )
    auth_token: AuthToken = Field(
        default=SecretStr(""), description="the token that the server showed, in quotes"
    )
    timeout_seconds: float = Field(
        default=60, ge=1, le=600, description="a number of seconds from 1 to 600, for example 60"
    )
    """Longest time for a whole request, in seconds."""
    health_check_interval: float = Field(
        default=30, ge=5, le=3600, description="a number of seconds from 5 to 3600, for example 30"
    )
    """Seconds between two health checks of a server in use."""


class LocalSettings(_Section):
    """The voice at home: an engine on this machine, or a Wyoming server."""

    kind: Literal["engine", "wyoming"] = Field(default="engine", description="engine or wyoming")
    """What speaks: ``engine`` with ``options``, or the Wyoming server at ``url``."""
    url: WyomingUrl = Field(
        default="", description='the URL of a Wyoming server, for example "tcp://127.0.0.1:10200"'
    )
    engine: str = Field(
        default=EMBEDDED_ENGINE,
        min_length=1,
        description="the name of an installed engine, for example espeak",
    )
    """Name of an entry point of ``vieneu_core.engines``, or ``module:attribute``."""
    options: dict[str, JsonValue] = Field(
        default_factory=dict, description="the engine's options as key: value lines"
    )
    watermark: Literal["required", "preferred"] = Field(
        default="required", description="required or preferred"
    )
    """Behaviour if a requested watermark cannot be made: refuse, or speak without it."""
    voice: str | None = Field(
        default=None, min_length=1, description="the id of a voice; see: vieneu voices"
    )
    """Speaks requests that name no voice; if the engine lacks it, its own default speaks."""
    slow_engine: Literal["buffer", "fallback"] = Field(
        default="buffer", description="buffer or fallback"
    )
    """Behaviour while the engine is slower than playback: make each sentence whole before it is
    heard, or let a fallback speak."""

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        if self.kind == "wyoming" and not self.url:
            raise conflict("url", "it is missing, and local.kind is wyoming")
        return self


class FallbackSettings(_Section):
    """Backends that speak when the selected one cannot."""

    enabled: bool = Field(default=True, description="true or false")
    order: Annotated[tuple[FallbackName, ...], AfterValidator(_each_once)] = Field(
        default=("local", "last_resort"),
        description="names out of local, remote, last_resort, for example [local, last_resort]",
    )


class QuotaSettings(_Section):
    """The tunnel's quota per calendar month; the defaults are those of ngrok's free plan."""

    monthly_requests: int = Field(
        default=20_000, gt=0, description="a number of requests, for example 20000"
    )
    monthly_bytes: int = Field(
        default=1_000_000_000, gt=0, description="a number of bytes, for example 1000000000"
    )


class CacheSettings(_Section):
    """The cache of finished speech on disk.

    Off unless it is asked for: announcements say who is home and which door is open, and nobody
    expects a command that speaks to leave a recording of it.
    """

    enabled: bool = Field(default=False, description="true or false")
    max_bytes: int = Field(
        default=200_000_000,
        ge=10_000_000,
        le=1_000_000_000_000,
        description="a number of bytes from 10000000 to 1000000000000, for example 200000000",
    )
    """Room on the disk: about two hours of speech at the default; what was not used for longest
    is removed."""
    folder: str | None = Field(
        default=None, min_length=1, description="the path of a folder that is private to this user"
    )
    """None is ``vieneu/speech`` in the user's cache folder."""


def _named_pauses(value: object) -> object:
    """Return the seconds that a name stands for; anything else as it is."""
    if not isinstance(value, str):
        return value
    names: dict[str, dict[str, float]] = {
        "natural": {},
        "none": dict.fromkeys(PauseSettings.model_fields, 0.0),
    }
    if value not in names:
        raise not_one_of(*names)
    return names[value]


_PAUSE = "a number of seconds from 0 to 2, for example 0.5"


class PauseSettings(_Section):
    """Silence between two sentences in seconds, what the voice itself leaves silent included."""

    clause: float = Field(default=NATURAL_PAUSES.clause_s, ge=0, le=MAX_PAUSE_S, description=_PAUSE)
    """Inside a long sentence that is spoken in parts."""
    sentence: float = Field(
        default=NATURAL_PAUSES.sentence_s, ge=0, le=MAX_PAUSE_S, description=_PAUSE
    )
    """After a full stop, and at the end of a line."""
    question: float = Field(
        default=NATURAL_PAUSES.question_s, ge=0, le=MAX_PAUSE_S, description=_PAUSE
    )
    """After a question or an exclamation."""
    paragraph: float = Field(
        default=NATURAL_PAUSES.paragraph_s, ge=0, le=MAX_PAUSE_S, description=_PAUSE
    )
    """Before a paragraph, an item of a list, or what follows a heading."""

    def pauses(self) -> Pauses:
        """Return them for a router."""
        return Pauses(
            clause_s=self.clause,
            sentence_s=self.sentence,
            question_s=self.question,
            paragraph_s=self.paragraph,
        )


class TextSettings(_Section):
    """How texts are read, whichever voice speaks."""

    pauses: Annotated[PauseSettings, BeforeValidator(_named_pauses)] = Field(
        default=PauseSettings(),
        description="natural, none, or seconds for some of clause, sentence, question, paragraph",
    )
    dictionary: str | None = Field(
        default=None,
        min_length=1,
        description="the path of a text file with lines: written = spoken",
    )
    """The user's dictionary; see `text.user_dictionary`. It is followed while it changes."""


class Settings(_Section):
    """All settings. Immutable; the text form contains no secrets.

    Raises:
        ConfigurationError: a value is wrong; the message names its field and what is expected.
    """

    backend_mode: Literal["local", "remote"] = Field(default="local", description="local or remote")
    colab: ColabSettings = Field(default=ColabSettings(), description="key: value lines")
    local: LocalSettings = Field(default=LocalSettings(), description="key: value lines")
    fallback: FallbackSettings = Field(default=FallbackSettings(), description="key: value lines")
    quota: QuotaSettings = Field(default=QuotaSettings(), description="key: value lines")
    cache: CacheSettings = Field(default=CacheSettings(), description="key: value lines")
    text: TextSettings = Field(default=TextSettings(), description="key: value lines")

    @model_validator(mode="before")
    @classmethod
    def _by_present_names(cls, values: Any) -> Any:
        """Rename sections that have their former names."""
        if not isinstance(values, Mapping):
            return values
        for former, name in FORMER_SECTIONS.items():
            if former in values and name in values:
                reason = invalid(
                    "former_name",
                    "{former} is the former name of {name}, and both are given",
                    former=former,
                    name=name,
                )
                raise ValidationError.from_exception_data(
                    cls.__name__, [{"type": reason, "loc": (former,), "input": None}]
                )
        return {FORMER_SECTIONS.get(name, name): value for name, value in values.items()}

    @property
    def mode(self) -> Literal["local", "remote"]:
        """The effective mode: with ``colab.enabled: false`` it is always local."""
        return self.backend_mode if self.colab.enabled else "local"


def environment_overrides(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the members of ``colab`` that environment variables set; empty ones are ignored."""
    variables = {"endpoint_url": ENDPOINT_URL_VARIABLE, "auth_token": AUTH_TOKEN_VARIABLE}
    return {
        field: environ[variable]
        for field, variable in variables.items()
        if environ.get(variable, "").strip()
    }


def without_blanks(data: Mapping[str, Any]) -> dict[str, Any]:
    """Drop known keys without a value, at the root and in its sections: they mean the default."""
    kept: dict[str, Any] = {}
    for name, value in data.items():
        field = Settings.model_fields.get(FORMER_SECTIONS.get(name, name))
        section = field.annotation if field is not None else None
        if value is None and field is not None:
            continue
        if isinstance(value, Mapping) and isinstance(section, type):
            fields = getattr(section, "model_fields", {})
            value = {k: v for k, v in value.items() if v is not None or k not in fields}  # noqa: PLW2901 - the same value, less its blanks
        kept[name] = value
    return kept
