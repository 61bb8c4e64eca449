"""Table of known models with short names.

Repositories, files and formats are from upstream (https://github.com/pnnbao97/VieNeu-TTS: its
``standard.py``, the tables in its README up to 1.2 and its ``config.yaml`` up to 2.5) and from
programs that use them. Nothing was compared with the hub itself; comments mark what is uncertain.
No revision is pinned here: the first download pins the current commit.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from enum import StrEnum

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.source import ModelSource, parse_source
from vieneu_core.translatable import Translatable

PUBLIC_FILE_BYTES = 1 << 25
"""Largest size that is accepted of a file of a voice of sanoTTS; they have up to 4 MB."""
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
    """SPDX identifier, as stated by its author."""
    size_mb: int | None
    """Approximate size in megabytes; None if unknown."""
    prompt: PromptFormat | None = None
    """Prompt format of a language model."""

    @property
    def source(self) -> ModelSource:
        """Location of the model."""
        return replace(parse_source(self.at), name=self.name)

    @property
    def is_public(self) -> bool:
        """Whether it is downloaded without huggingface_hub, in files of `PUBLIC_FILE_BYTES`."""
        return self.kind is ModelKind.SANO

    @property
    def voices(self) -> ModelSource:
        """Location of its preset voices."""
        return replace(self.source, files=(VOICES_FILE,), name=None)


def _sano(package: str) -> str:
    files = ("manifest.json", "piper-phoneme-config.json", "weights.fp16.bin")
    return f"ampixa/sanoTTS:{','.join(f'{package}/{file}' for file in files)}"


# The 0.5B and its quantisations were trained and always prompted with the chat format. Upstream
# recognizes it by the exact name "pnnbao-ump/VieNeu-TTS" since 2.5 (May 2026), without the -gguf
# repositories, which it no longer listed by then.
# The 0.3B is plain by that same rule. Up to 2.4 upstream used the chat format for it too, and
# its fine-tuning script still trains with that; a fine-tuned copy may need `chat`.
MODELS = (
    KnownModel(
        name="vieneu-0.5b-q4",
        kind=ModelKind.GGUF,
        at="pnnbao-ump/VieNeu-TTS-q4-gguf:VieNeu-TTS-q4_0.gguf",
        prompt=PromptFormat.CHAT,
        licence="Apache-2.0",
        size_mb=398,
    ),
    KnownModel(
        name="vieneu-0.5b-q8",
        kind=ModelKind.GGUF,
        at="pnnbao-ump/VieNeu-TTS-q8-gguf:VieNeu-TTS-q8_0.gguf",
        prompt=PromptFormat.CHAT,
        licence="Apache-2.0",
        size_mb=720,
    ),
    KnownModel(
        name="vieneu-0.3b-q4",
        kind=ModelKind.GGUF,
        at="pnnbao-ump/VieNeu-TTS-0.3B-q4-gguf:VieNeu-TTS-0_3B-Q4_0.gguf",
        prompt=PromptFormat.PLAIN,
        licence="CC-BY-NC-4.0",
        size_mb=193,
    ),
    # The name of this file was found in one source only.
    KnownModel(
        name="vieneu-0.3b-q8",
        kind=ModelKind.GGUF,
        at="pnnbao-ump/VieNeu-TTS-0.3B-q8-gguf:VieNeu-TTS-0_3B-Q8_0.gguf",
        prompt=PromptFormat.PLAIN,
        licence="CC-BY-NC-4.0",
        size_mb=350,
    ),
    KnownModel(
        name="vieneu-v2-q4",
        kind=ModelKind.GGUF,
        at="pnnbao-ump/VieNeu-TTS-v2:VieNeu-TTS-v2-Q4-K-M.gguf",
        prompt=PromptFormat.PLAIN,
        licence="Apache-2.0",
        size_mb=189,
    ),
    KnownModel(
        name="vieneu-0.5b",
        kind=ModelKind.TRANSFORMERS,
        at="pnnbao-ump/VieNeu-TTS",
        prompt=PromptFormat.CHAT,
        licence="Apache-2.0",
        size_mb=1100,
    ),
    KnownModel(
        name="vieneu-0.3b",
        kind=ModelKind.TRANSFORMERS,
        at="pnnbao-ump/VieNeu-TTS-0.3B",
        prompt=PromptFormat.PLAIN,
        licence="CC-BY-NC-4.0",
        size_mb=488,
    ),
    KnownModel(
        name="vieneu-v2",
        kind=ModelKind.TRANSFORMERS,
        at="pnnbao-ump/VieNeu-TTS-v2",
        prompt=PromptFormat.PLAIN,
        licence="Apache-2.0",
        size_mb=None,
    ),
    # The licences of the codecs and of w2v-bert are not verified.
    KnownModel(
        name="neucodec-decoder",
        kind=ModelKind.CODEC_ONNX,
        at="neuphonic/neucodec-onnx-decoder:model.onnx",
        licence="Apache-2.0",
        size_mb=783,
    ),
    KnownModel(
        name="neucodec-decoder-int8",
        kind=ModelKind.CODEC_ONNX,
        at="neuphonic/neucodec-onnx-decoder-int8:model.onnx",
        licence="Apache-2.0",
        size_mb=312,
    ),
    # The files that neucodec 0.0.6 downloads; their size is unknown.
    KnownModel(
        name="neucodec",
        kind=ModelKind.CODEC_TORCH,
        at="neuphonic/neucodec:pytorch_model.bin,meta.yaml",
        licence="Apache-2.0",
        size_mb=None,
    ),
    # The model with which neucodec 0.0.6 extracts features of a clip.
    KnownModel(
        name="w2v-bert-2.0",
        kind=ModelKind.FEATURES,
        at="facebook/w2v-bert-2.0:config.json,model.safetensors,preprocessor_config.json",
        licence="MIT",
        size_mb=2320,
    ),
    # The packages that sanotts 0.5.0 names "vi" and "amy" (its tables/voices.json), with the files
    # that it reads. The licence is that of the repository and of its page on the hub.
    KnownModel(
        name="sano-vi",
        kind=ModelKind.SANO,
        at=_sano("vi-vais1000-1p46m"),
        licence="GPL-3.0",
        size_mb=3,
    ),
    KnownModel(
        name="sano-en",
        kind=ModelKind.SANO,
        at=_sano("amy-en-1p46m"),
        licence="GPL-3.0",
        size_mb=3,
    ),
)
"""All known models, language models first; `DEFAULT_GGUF` is the smallest."""
DEFAULT_GGUF = "vieneu-0.3b-q4"
DEFAULT_TRANSFORMERS = "vieneu-0.5b"
DEFAULT_DECODER = "neucodec-decoder-int8"


def known_model(name: str) -> KnownModel:
    """Return the model of this name.

    Raises:
        ModelLoadError: there is none; the message contains the closest name and all names.
    """
    for model in MODELS:
        if model.name == name.strip().lower():
            return model
    names = [model.name for model in MODELS]
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    meant = Translatable(" Did you mean {close}?", close=close[0]) if close else ""
    raise ModelLoadError(
        Translatable(
            "There is no model {name!r}.{meant} Known: {names}.",
            name=name,
            meant=meant,
            names=", ".join(names),
        ),
        remedy="Or write a path that begins with / or ~, or OWNER/REPOSITORY:FILE.",
    )


def model_source(text: str) -> ModelSource:
    """Parse a model in the settings: a known name, a path, or a file on the hub.

    Raises:
        ModelLoadError: it is none of these.
    """
    stated = text.strip()
    if stated.startswith("~") or "/" in stated:
        return parse_source(stated)
    return known_model(stated).source


def model_of(source: ModelSource) -> KnownModel | None:
    """Return the known model of a source, whatever the revision; None if it is another."""
    for model in MODELS:
        if (model.source.repo, model.source.files) == (source.repo, source.files):
            return model
    return None
