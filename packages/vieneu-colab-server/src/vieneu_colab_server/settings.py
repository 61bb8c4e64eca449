"""Settings of the server, with their defaults and bounds. The engine has its own."""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices, Field, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from vieneu_core.credentials import ServerToken

ENV_PREFIX = "VIENEU_SERVER_"


class ServerSettings(BaseSettings):
    """Settings of a server. Arguments take precedence over variables (``VIENEU_SERVER_...``)."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_ignore_empty=True,
        populate_by_name=True,
        frozen=True,
        hide_input_in_errors=True,
        extra="ignore",
    )

    token: ServerToken
    """Token that clients must send. Never printed."""
    token_file: Path | None = None
    """File of the token; a new one (``rotate-token``) is written to it."""
    admin_token: ServerToken | None = None
    """Token of the admin, who alone may then rotate and drain; None: the one token may do all."""
    admin_token_file: Path | None = None
    """File of the admin token."""
    speech_tokens_file: Path | None = None
    """File of further tokens for speech, one a line: each client may have one of its own."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    """0 takes any free port."""
    samples_dir: Path | None = None
    """Folder of the reference audio that requests may name; None allows only embedded audio."""
    voices_dir: Path | None = None
    """Folder of custom voices, as `vieneu voices add` writes it; None means none."""

    max_body_bytes: PositiveInt = 2 * 1024 * 1024
    max_text_chars: PositiveInt = 4_096
    max_reference_s: PositiveFloat = 15.0
    """Longest reference audio after decoding, in seconds."""

    requests_per_minute: PositiveInt = 60
    """Requests for speech per minute, of all clients together."""
    health_checks_per_minute: PositiveInt = Field(
        default=240,
        validation_alias=AliasChoices(
            f"{ENV_PREFIX}health_checks_per_minute",
            f"{ENV_PREFIX}looks_per_minute",  # deprecated name
        ),
    )
    """All other requests per minute (health, voices) of one client, counted apart from speech."""
    rate_limit_storage: SecretStr | None = None
    """URI of the Redis in which servers count these together; None: each by itself. A secret."""
    failed_logins_per_minute: PositiveInt = 20
    """Wrong tokens of one client per minute that are answered at once; further ones wait."""

    max_queue: int = Field(default=8, ge=0)
    """Requests that may wait for their turn."""
    max_concurrent: PositiveInt = 4
    """Requests that are synthesized at once, if the engine is fast enough: sentences take turns."""
    retry_after_s: PositiveFloat = 2.0
    """Retry-After when the queue is full, or a turn would come too late."""
    loading_retry_after_s: PositiveFloat = 5.0
    """Retry-After while the model is being loaded."""
    deadline_s: PositiveFloat = 300.0
    """Longest synthesis of one request, without its waiting for turns and for its client."""
    max_connections: PositiveInt = 512
    """Connections at once; for more, those are closed first that have no running request."""
    head_timeout_s: PositiveFloat = 10.0
    """Longest time for the head of a request to arrive."""
    max_total_body_bytes: PositiveInt = 64 * 1024 * 1024
    """Bodies of all running requests together, before new ones are refused."""
    body_timeout_s: PositiveFloat = 30.0
    """Longest time for a request body to arrive; a large one that comes steadily has more."""
    send_timeout_s: PositiveFloat = 30.0
    """A client that reads nothing for so long counts as disconnected."""

    replay_keep_s: PositiveFloat = 60.0
    """How long finished speech is kept for a retry with the same request id."""
    replay_grace_s: PositiveFloat = 2.0
    """How long synthesis continues without a client, if nothing was sent yet, for a retry."""
    max_recording_bytes: PositiveInt = 32 * 1024 * 1024
    """Stored samples of one request; beyond that it is synthesized only as fast as it is read."""
    max_replay_bytes: PositiveInt = 96 * 1024 * 1024
    """Stored samples of all requests before new ones are refused."""

    max_jobs_per_token: PositiveInt = 50
    """Of a relay: long jobs of one token that are kept, the ended ones included."""
    max_job_bytes_per_token: PositiveInt = 2 * 1024 * 1024 * 1024
    """Of a relay: what the long jobs of one token may take on the disk."""

    session_limit_s: PositiveFloat | None = None
    """Length of the session from the start of the server; None: it has no end."""
    session_drain_s: float = Field(default=60.0, ge=0)
    """Time before the end of the session from which on new requests are refused."""
    drain_timeout_s: float = Field(default=30.0, ge=0)
    """How long running speech may continue after the signal to stop."""
    keep_alive_s: PositiveInt = 75
    """How long an idle connection stays open: longer than clients keep theirs."""
