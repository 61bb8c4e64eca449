"""Arguments of the app: which engine, how many replicas, and how much each of them takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from vieneu_core.config import EMBEDDED_ENGINE
from vieneu_core.untrusted_json import parse_json
from vieneu_core.validation import conflict, invalid

_MAX_JSON_CHARS = 1 << 16


class RayAppArguments(BaseModel):
    """What ``args`` of an application of Ray Serve may contain.

    No secret is among them, because Ray stores and shows them. Tokens and all other settings of the
    server come from its variables (``VIENEU_SERVER_...``), on each node that runs an ingress.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: str = EMBEDDED_ENGINE
    """Name of an installed engine, or ``module:attribute`` of its factory."""
    engine_options: dict[str, Any] = Field(default_factory=dict)
    """Options of the engine, an object; as text, its JSON."""
    voices_dir: Path | None = None
    """Folder of custom voices, at the same path on each node; None means none."""
    dictionary: str | None = None
    """File of names and words, on each node that runs an ingress."""

    min_replicas: PositiveInt = 1
    """Replicas that always run: the first request after a pause is not the one that loads."""
    max_replicas: PositiveInt = 1
    """Replicas at most."""
    target_ongoing_requests: PositiveFloat = 2.0
    """Requests for each replica, spoken or waiting, that the number of replicas is made for."""
    upscale_delay_s: float = Field(default=10.0, ge=0)
    """How long there must be more of them before a replica is added."""
    downscale_delay_s: float = Field(default=300.0, ge=0)
    """How long there must be fewer of them before a replica is removed."""

    max_ongoing_requests: PositiveInt = 4
    """Requests that a replica speaks at once; their sentences take turns."""
    max_queued_requests: int = Field(default=8, ge=0)
    """Requests that may wait at an ingress while all replicas are taken; further ones get 503."""
    replica_cpus: float = Field(default=1.0, ge=0)
    """CPUs of a node that Ray reserves for a replica."""
    replica_gpus: float = Field(default=0.0, ge=0)
    """GPUs for a replica: 1, or a part of one that several share."""
    drain_timeout_s: PositiveFloat = 60.0
    """How long a replica that is removed may finish what it speaks; then another one goes on."""

    ingress_replicas: PositiveInt = 1
    """Processes that take requests; see docs/scaling.md for what several of them do not share."""
    ingress_cpus: float = Field(default=1.0, ge=0)
    """CPUs of a node that Ray reserves for each of these."""
    ingress_resource: str | None = Field(default=None, min_length=1)
    """Resource of Ray that a node must have to run an ingress; None means any node."""

    @field_validator("engine_options", mode="before")
    @classmethod
    def _read_json(cls, value: object) -> object:
        """Read what ``serve run`` passes on: there all arguments are text."""
        if not isinstance(value, str):
            return value
        if len(value) > _MAX_JSON_CHARS:
            raise invalid(
                "too_long",
                "it must have at most {max_length} characters",
                max_length=_MAX_JSON_CHARS,
            )
        try:
            return parse_json(value)
        except ValueError:
            raise invalid("json_invalid", "it is not JSON") from None

    @model_validator(mode="after")
    def _check_replicas(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise conflict("min_replicas", "it is above max_replicas")
        return self

    @property
    def most_requests(self) -> int:
        """Requests that an ingress takes at once: spoken, or waiting for a replica."""
        return self.max_replicas * self.max_ongoing_requests + self.max_queued_requests
