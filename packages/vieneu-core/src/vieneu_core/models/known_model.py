"""A known model: what it is, where it is, and how it is prompted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from vieneu_core.models.source import ModelSource, parse_source

PUBLIC_FILE_BYTES = 1 << 25
"""Largest accepted size of a file of a voice of sanoTTS; they have up to 4 MB."""
VOICES_FILE = "voices.json"
"""File of the preset voices; upstream keeps it beside the weights in each repository of a model."""


class ModelKind(StrEnum):
    """Kind of a model, which determines its loader."""

    GGUF = "gguf"
    """Language model for llama.cpp: one file."""
    TRANSFORMERS = "transformers"
    """Language model for transformers: a folder."""
    CODEC_ONNX = "codec-onnx"
    """Codec on ONNX Runtime, codes to samples: one file."""
    CODEC_TORCH = "codec-torch"
    """Codec on PyTorch, codes to samples and back: a folder."""
    FEATURES = "features"
    """Feature extractor of a codec's encoder: a folder."""
    PIPER = "piper"
    """Voice of Piper (VITS on ONNX Runtime): the graph, and its configuration beside it."""
    SANO = "sano"
    """Voice of the engine ``sano``: a folder."""


class PromptFormat(StrEnum):
    """Format of a language model's prompt."""

    CHAT = "chat"
    """Version 1: the text is between "user: Convert the text to speech:" and "assistant:"."""
    PLAIN = "plain"
    """Version 2: only the marker tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """An entry of the table."""

    name: str
    kind: ModelKind
    at: str
    """Location, for `parse_source`."""
    licence: str
    """SPDX identifier, as stated by its author; ``unknown`` if none was found."""
    voices_licence: str = ""
    """Likewise of its preset voices; empty for models without a file of voices."""
    size_mb: int | None
    """Approximate size in megabytes; None if unknown."""
    prompt: PromptFormat | None = None
    """Prompt format of a language model."""
    emotion: bool = False
    """Whether upstream begins the text of a language model with its token for natural speech."""
    language: str = ""
    """Language of a voice; empty for other models."""
    sha256: str = ""
    """Required SHA-256 of the first file of several; empty: only the hub's own is compared."""

    @property
    def source(self) -> ModelSource:
        """Location of the model."""
        source = parse_source(self.at)
        pinned = {source.files[0]: self.sha256} if self.sha256 else {}
        return replace(source, name=self.name, checksums=pinned)

    def path_in(self, found: Path) -> Path:
        """Return the path of the model, where `find_cached` or `Hub.fetch` found its source."""
        return found / self.source.files[0] if self.kind is ModelKind.PIPER else found

    @property
    def licences(self) -> str:
        """Its licence, and behind a slash that of its voices, if they are files of their own."""
        return f"{self.licence} / {self.voices_licence}" if self.voices_licence else self.licence

    @property
    def is_public(self) -> bool:
        """Whether it is downloaded without huggingface_hub, in files of `PUBLIC_FILE_BYTES`."""
        return self.kind is ModelKind.SANO

    @property
    def voices(self) -> ModelSource:
        """Location of its preset voices."""
        return replace(self.source, files=(VOICES_FILE,), name=None)
