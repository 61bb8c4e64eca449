"""Table of known models with short names.

Repositories, files and formats are from upstream (https://github.com/pnnbao97/VieNeu-TTS: its
``standard.py``, the tables in its README up to 1.2 and its ``config.yaml`` up to 2.5) and from
programs that use them; those of Piper's voices from the ``voices.json`` that Home Assistant's Piper
carries (https://github.com/rhasspy/wyoming-piper). Nothing was compared with the hub; comments mark
what is uncertain. No revision is pinned here: the first download pins the current commit.
"""

from __future__ import annotations

import difflib

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.known_model import (
    PUBLIC_FILE_BYTES,
    VOICES_FILE,
    KnownModel,
    ModelKind,
    PromptFormat,
)
from vieneu_core.models.source import ModelSource, parse_source
from vieneu_core.translatable import Translatable

__all__ = (
    "DEFAULT_DECODER",
    "DEFAULT_GGUF",
    "DEFAULT_PIPER",
    "DEFAULT_TRANSFORMERS",
    "MODELS",
    "PUBLIC_FILE_BYTES",
    "VOICES_FILE",
    "KnownModel",
    "ModelKind",
    "PromptFormat",
    "known_model",
    "model_of",
    "model_source",
)


def _piper(path: str) -> str:
    """Return the location of a voice: its graph, and the configuration beside it."""
    return f"rhasspy/piper-voices:{path}.onnx,{path}.onnx.json"


def _sano(package: str) -> str:
    files = ("manifest.json", "piper-phoneme-config.json", "weights.fp16.bin")
    return f"ampixa/sanoTTS:{','.join(f'{package}/{file}' for file in files)}"


# The 0.5B and its quantisations were trained and always prompted with the chat format. Upstream
# recognizes it by the exact name "pnnbao-ump/VieNeu-TTS" since 2.5 (May 2026), without the -gguf
# repositories, which were no longer in its list of models by then. One is still the default of its
# class for Intel GPUs (3.8.3, core_xpu.py), which would load it with transformers.
# The 0.3B is plain by that same rule. Up to 2.4 upstream used the chat format for it too, and
# its fine-tuning script still trains with that; a fine-tuned copy may need `chat`.
# The emotion token came with 2.6, for plain prompts, and with the v2. The chat prompt of its loader
# for transformers has none, and no version whose list had the -gguf repositories or the 0.3B had
# one.
# The voices.json that upstream's package has for these models states CC BY-NC 4.0 for "model and
# voices" (3.8.3, assets/voices.json). What the repository of the v2 states was not seen.
MODELS = (
    KnownModel(
        name="vieneu-0.5b-q4",
        kind=ModelKind.GGUF,
        at="pnnbao-ump/VieNeu-TTS-q4-gguf:VieNeu-TTS-q4_0.gguf",
        prompt=PromptFormat.CHAT,
        licence="Apache-2.0",
        voices_licence="CC-BY-NC-4.0",
        size_mb=398,
    ),
    KnownModel(
        name="vieneu-0.5b-q8",
        kind=ModelKind.GGUF,
        at="pnnbao-ump/VieNeu-TTS-q8-gguf:VieNeu-TTS-q8_0.gguf",
        prompt=PromptFormat.CHAT,
        licence="Apache-2.0",
        voices_licence="CC-BY-NC-4.0",
        size_mb=720,
    ),
    KnownModel(
        name="vieneu-0.3b-q4",
        kind=ModelKind.GGUF,
        at="pnnbao-ump/VieNeu-TTS-0.3B-q4-gguf:VieNeu-TTS-0_3B-Q4_0.gguf",
        prompt=PromptFormat.PLAIN,
        licence="CC-BY-NC-4.0",
        voices_licence="CC-BY-NC-4.0",
        size_mb=193,
    ),
    # The name of this file was found in one source only.
    KnownModel(
        name="vieneu-0.3b-q8",
        kind=ModelKind.GGUF,
        at="pnnbao-ump/VieNeu-TTS-0.3B-q8-gguf:VieNeu-TTS-0_3B-Q8_0.gguf",
        prompt=PromptFormat.PLAIN,
        licence="CC-BY-NC-4.0",
        voices_licence="CC-BY-NC-4.0",
        size_mb=350,
    ),
    KnownModel(
        name="vieneu-v2-q4",
        kind=ModelKind.GGUF,
        at="pnnbao-ump/VieNeu-TTS-v2:VieNeu-TTS-v2-Q4-K-M.gguf",
        prompt=PromptFormat.PLAIN,
        emotion=True,
        licence="Apache-2.0",
        voices_licence="unknown",
        size_mb=189,
    ),
    KnownModel(
        name="vieneu-0.5b",
        kind=ModelKind.TRANSFORMERS,
        at="pnnbao-ump/VieNeu-TTS",
        prompt=PromptFormat.CHAT,
        licence="Apache-2.0",
        voices_licence="CC-BY-NC-4.0",
        size_mb=1100,
    ),
    KnownModel(
        name="vieneu-0.3b",
        kind=ModelKind.TRANSFORMERS,
        at="pnnbao-ump/VieNeu-TTS-0.3B",
        prompt=PromptFormat.PLAIN,
        licence="CC-BY-NC-4.0",
        voices_licence="CC-BY-NC-4.0",
        size_mb=488,
    ),
    KnownModel(
        name="vieneu-v2",
        kind=ModelKind.TRANSFORMERS,
        at="pnnbao-ump/VieNeu-TTS-v2",
        prompt=PromptFormat.PLAIN,
        emotion=True,
        licence="Apache-2.0",
        voices_licence="unknown",
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
    # Licences of Piper's voices are those of the recordings; sizes and MD5 are from voices.json.
    # Tuned from lessac, whose recordings are for research. MD5 5e42428c4f6131f75557cf156c9c1526.
    KnownModel(
        name="vi_VN-vais1000-medium",
        kind=ModelKind.PIPER,
        at=_piper("vi/vi_VN/vais1000/medium/vi_VN-vais1000-medium"),
        licence="CC-BY-4.0",
        size_mb=63,
        language="vi",
        sha256="ec7c89e2c85f4d1edc24b6120c18aaf1bda614f06b511567eb9c7c0de15e2dab",
    ),
    # Both lack marks of four tones, and are offered last. MD5 54ff8fb35b0084336377ddd10717e1fa.
    KnownModel(
        name="vi_VN-25hours_single-low",
        kind=ModelKind.PIPER,
        at=_piper("vi/vi_VN/25hours_single/low/vi_VN-25hours_single-low"),
        licence="unknown",
        size_mb=63,
        language="vi",
    ),
    # The licence is that of the VIVOS corpus. MD5 d5880d32e340f57489dcb9d4f1f7aa04.
    KnownModel(
        name="vi_VN-vivos-x_low",
        kind=ModelKind.PIPER,
        at=_piper("vi/vi_VN/vivos/x_low/vi_VN-vivos-x_low"),
        licence="CC-BY-NC-SA-4.0",
        size_mb=28,
        language="vi",
        sha256="6ab13374eb0862021a545befe7727aef59e16117f1c075aa9e0362237ecc98ae",
    ),
    # What sanotts 0.5.0 names "vi" and "amy". The licence is that of its page on the hub.
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
"""All known models, language models first."""
DEFAULT_GGUF = "vieneu-v2-q4"
"""Upstream's default for llama.cpp (3.8.3, standard.py): the smallest, bilingual, and free for
commercial use."""
DEFAULT_TRANSFORMERS = "vieneu-0.5b"
DEFAULT_DECODER = "neucodec-decoder-int8"
DEFAULT_PIPER = "vi_VN-vais1000-medium"


def known_model(name: str) -> KnownModel:
    """Return the model of this name.

    Raises:
        ModelLoadError: there is none; the message contains the closest name and all names.
    """
    for model in MODELS:
        if model.name.lower() == name.strip().lower():
            return model
    names = {model.name.lower(): model.name for model in MODELS}
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    meant = Translatable(" Did you mean {close}?", close=names[close[0]]) if close else ""
    raise ModelLoadError(
        Translatable(
            "There is no model {name!r}.{meant} Known: {names}.",
            name=name,
            meant=meant,
            names=", ".join(names.values()),
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
