"""Settings of a notebook, validated here and quoted where they are written."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from vieneu_core.config import TunnelKind
from vieneu_core.credentials import CallbackUrl, ServerToken
from vieneu_core.engines.registry import AUTO_ENGINE, ENGINE_CHOICES, ENGINES
from vieneu_core.errors import ModelLoadError
from vieneu_core.i18n import languages
from vieneu_core.models.catalogue import model_source
from vieneu_core.notebook.samples import MAX_SAMPLES, VoiceSample
from vieneu_core.notebook.sources import Source
from vieneu_core.validation import conflict, invalid, not_one_of

COLAB_HOURS = 12.0
"""Longest life of a runtime: "up to 12 hours", https://research.google.com/colaboratory/faq.html"""
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def _printable(text: str) -> str:
    if not text.isprintable():
        raise invalid("not_printable", "it holds a character that cannot be seen")
    return text


def _voice(text: str) -> str:
    if "," in text or text != text.strip():
        raise invalid("voice", "it holds a comma, or spaces around it")
    return _printable(text)


def _engine(text: str) -> str:
    if text not in ENGINE_CHOICES:
        raise not_one_of(*ENGINE_CHOICES)
    return text


def _language(text: str) -> str:
    if text not in languages():
        raise not_one_of(*languages())
    return text


def _domain(text: str) -> str:
    if not _HOST.fullmatch(text.lower()):
        raise invalid("domain", "write a host name, for example my-home.ngrok.app")
    return text.lower()


ModelText = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_printable)]


class NotebookSettings(BaseModel):
    """Settings of a notebook; most can still be changed in its forms."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    language: Annotated[str, AfterValidator(_language)] = "vi"
    """Language of all texts in the notebook."""
    engine: Annotated[str, AfterValidator(_engine)] = AUTO_ENGINE
    """``auto``: ``pytorch`` with a GPU, else ``gguf``."""
    model: ModelText | None = None
    """As the option ``model`` of the engine; None means its default."""
    codec: ModelText | None = None
    """As the option ``codec`` of the engine; None means its default."""
    voices: tuple[
        Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_voice)], ...
    ] = ()
    """Ids of voices that are warmed up before the first request."""
    samples: tuple[VoiceSample, ...] = Field(default=(), max_length=MAX_SAMPLES)
    """Voices of the owner that the notebook carries."""
    tunnel: TunnelKind = TunnelKind.NGROK
    domain: Annotated[str, AfterValidator(_domain)] | None = None
    """A reserved domain of the tunnel's account."""
    session_hours: float = Field(default=COLAB_HOURS, gt=0, le=24, allow_inf_nan=False)
    """End of the runtime, in hours from its start."""
    drive_cache: bool = False
    """Whether the model is kept on Google Drive, so that the next session need not download it."""
    token: ServerToken | None = None
    """Written into the file; None: the notebook asks for it, or creates one."""
    callback_url: CallbackUrl | None = None
    """Webhook of Home Assistant for the server's address."""
    source: Source | None = None
    """Source of the packages; None embeds those of this version."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.domain is not None and not self.tunnel.reserves_domains:
            raise conflict(
                "domain",
                "only these tunnels have reserved domains: {with_domains}",
                with_domains=", ".join(TunnelKind.with_domains()),
            )
        if self.callback_url is not None and self.tunnel is TunnelKind.NONE:
            raise conflict("callback_url", "without a tunnel there is no address to send")
        if self.engine in {each.engine for each in ENGINES if each.speech_lm}:
            for name in ("model", "codec"):
                self._check_model(name)
        return self

    def _check_model(self, name: str) -> None:
        text = getattr(self, name)
        if text in {None, "auto"}:
            return
        try:
            model_source(text)
        except ModelLoadError:
            raise conflict(
                name, "write a path, OWNER/REPOSITORY:FILE, or the name of a known model"
            ) from None
