"""What can be set, with defaults and bounds. Not where it is stored.

A field's ``description`` completes the sentence "Write ...": it is shown where a value is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from vieneu_core.config.validation_message import Finding
from vieneu_core.credentials import AuthToken, EndpointUrl
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable

EMBEDDED_ENGINE = "espeak"
"""The engine of the embedded voice, which needs neither a model nor a network."""
ENDPOINT_URL_VARIABLE = "COLAB_ENDPOINT_URL"
AUTH_TOKEN_VARIABLE = "COLAB_AUTH_TOKEN"  # noqa: S105 - the name of a variable, not a token

WITH_DETAILS = {"errors": "pydantic"}
"""Context of a validation that raises pydantic's own error, with the place of each value."""

FORMER_SECTIONS = {"budget": "quota"}
"""Sections that were renamed, by their former names, which are deprecated and still read."""

FallbackName = Literal["local", "remote", "last_resort"]


def _each_once(order: tuple[FallbackName, ...]) -> tuple[FallbackName, ...]:
    if len(set(order)) != len(order):
        raise PydanticCustomError("order", "a name appears twice")
    return order


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False
    )

    @model_validator(mode="wrap")
    @classmethod
    def _named(
        cls, values: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        """Raise our own error for a wrong value, except `WITH_DETAILS`."""
        if info.context is WITH_DETAILS:
            return handler(values)
        try:
            return handler(values)
        except ValidationError as err:
            finding = Finding.of(err.errors(include_url=False)[0], cls)
        where = ".".join(filter(None, (cls.__name__, finding.field)))
        # Not chained: pydantic's error holds the values, and one of them may be the token.
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
    """Between two looks at a server in use, in seconds."""


class LocalSettings(_Section):
    """The engine on this machine."""

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
    """Where a request asks for a watermark and none can be made: refuse it, or speak without."""
    voice: str | None = Field(
        default=None, min_length=1, description="the id of a voice; see: vieneu voices"
    )
    """Speaks what names no voice; where the engine lacks it, the engine's own default speaks."""


class FallbackSettings(_Section):
    """Who speaks where the chosen backend cannot."""

    enabled: bool = Field(default=True, description="true or false")
    order: Annotated[tuple[FallbackName, ...], AfterValidator(_each_once)] = Field(
        default=("local", "last_resort"),
        description="names out of local, remote, last_resort, for example [local, last_resort]",
    )


class QuotaSettings(_Section):
    """The tunnel's allowance per calendar month; the defaults are those of ngrok's free plan."""

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


class Settings(_Section):
    """Everything that can be set. Immutable; prints without secrets.

    Raises:
        ConfigurationError: a value is wrong; names its field and what is expected.
    """

    backend_mode: Literal["local", "remote"] = Field(default="local", description="local or remote")
    colab: ColabSettings = Field(default=ColabSettings(), description="key: value lines")
    local: LocalSettings = Field(default=LocalSettings(), description="key: value lines")
    fallback: FallbackSettings = Field(default=FallbackSettings(), description="key: value lines")
    quota: QuotaSettings = Field(default=QuotaSettings(), description="key: value lines")
    cache: CacheSettings = Field(default=CacheSettings(), description="key: value lines")

    @model_validator(mode="before")
    @classmethod
    def _by_present_names(cls, values: Any) -> Any:
        """Give sections that are stated by their former names the present ones."""
        if not isinstance(values, Mapping):
            return values
        for former, name in FORMER_SECTIONS.items():
            if former in values and name in values:
                reason = PydanticCustomError(
                    "former_name",
                    "{former} is the former name of {name}, and both are given",
                    {"former": former, "name": name},
                )
                raise ValidationError.from_exception_data(
                    cls.__name__, [{"type": reason, "loc": (former,), "input": None}]
                )
        return {FORMER_SECTIONS.get(name, name): value for name, value in values.items()}

    @property
    def mode(self) -> Literal["local", "remote"]:
        """The mode that holds: ``colab.enabled: false`` means local, whatever else is set."""
        return self.backend_mode if self.colab.enabled else "local"


def environment_overrides(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the members of ``colab`` that the environment states; empty values state nothing."""
    variables = {"endpoint_url": ENDPOINT_URL_VARIABLE, "auth_token": AUTH_TOKEN_VARIABLE}
    return {
        field: environ[variable]
        for field, variable in variables.items()
        if environ.get(variable, "").strip()
    }


def without_blanks(data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out known keys without a value, of the root and its sections: they mean the default."""
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
