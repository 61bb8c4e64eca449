"""Bodies of the Speak page's own API."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from vieneu_core.credentials import MAX_TOKEN_CHARS


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TokenBody(_Body):
    """Body of ``POST /login``."""

    token: SecretStr = Field(max_length=MAX_TOKEN_CHARS)


class TextBody(_Body):
    """Body of ``POST /sentences``."""

    text: str


class SentencesAnswer(BaseModel):
    """Answer of ``POST /sentences``."""

    sentences: list[str]


class FileTextAnswer(BaseModel):
    """Answer of ``POST /file-text``."""

    text: str


class LoginAnswer(BaseModel):
    """Answer of a login or logout."""

    logged_in: bool


class PageAnswer(BaseModel):
    """Answer of ``GET /page``: what the page must know of the service."""

    version: str
    max_text_chars: int
    max_reference_s: float
    """Longest reference audio, in seconds."""
    clones: bool
    """Whether reference audio can be used now."""
    voices_version: str
    """Differs once other voices may be usable."""


class ProblemText(BaseModel):
    """Answer of ``POST /problem-text``."""

    detail: str
    remedy: str
