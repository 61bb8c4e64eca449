"""The engine ``pytorch``: a VieNeu model on a GPU or the CPU, by transformers and NeuCodec."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

from pydantic import Field

from vieneu_core.engines.base import OnLoad
from vieneu_core.engines.pytorch.device import DeviceChoice, Dtype, TorchDevice
from vieneu_core.engines.registry import PYTORCH, check_installed
from vieneu_core.engines.speech_lm.codec import SpeechDecoder
from vieneu_core.engines.speech_lm.engine import CodeEngine, Parts, remembered
from vieneu_core.engines.speech_lm.model_files import ModelFiles
from vieneu_core.engines.speech_lm.options import CodeOptions, ModelName, parse_options
from vieneu_core.engines.speech_lm.voice_prompts import references
from vieneu_core.models.catalogue import DEFAULT_DECODER, DEFAULT_TRANSFORMERS

GPU_CODEC = "neucodec"
_GPU_BATCH = 8


class PytorchOptions(CodeOptions):
    """Options of this engine."""

    model: ModelName = DEFAULT_TRANSFORMERS
    # As upstream draws with transformers. That takes top_p and min_p from generation_config.json.
    min_codes: int = Field(default=50, ge=0, le=1000, description="a number from 0 to 1000")
    codec: ModelName = "auto"
    """auto: NeuCodec on PyTorch with a GPU, else its ONNX graph, which is faster on a CPU."""
    device: DeviceChoice = Field(default=DeviceChoice.AUTO, description="auto, cuda, mps or cpu")
    dtype: Dtype = Field(default=Dtype.AUTO, description="auto, float32, bfloat16 or float16")
    """auto: bfloat16 if the device supports it natively."""
    batch: Literal["auto"] | int = Field(
        default="auto", description="auto, or how many sentences are made at once"
    )
    """auto: 8 on a GPU, 1 on a CPU."""
    compile: bool = Field(default=False, description="true or false")
    """Whether to speed the model up with torch.compile, which takes a minute at load time."""


def create(options: Mapping[str, object]) -> CodeEngine:
    """Create the engine; nothing is loaded yet.

    Raises:
        ModelLoadError: an option is invalid.
    """
    return CodeEngine(PYTORCH, partial(_load, parse_options(PytorchOptions, PYTORCH, options)))


def _load(options: PytorchOptions, progress: OnLoad) -> Parts:
    from vieneu_core.engines.pytorch.model import TorchModel
    from vieneu_core.text.phonemize import Phonemizer

    check_installed(PYTORCH)
    device = TorchDevice.choose(options.device, options.dtype)
    files = ModelFiles(options, progress)
    found = files.model()
    presets = files.presets(found)
    decoder = _decoder(options, files, device)
    files.say(f"Loading {found.path.name}")
    phonemize = remembered(Phonemizer())
    spoken = references(options, files, presets, phonemize)
    model = TorchModel(
        found.path,
        options.settings(found.known, spoken.sample),
        device,
        batch=_batch(options, device),
        compiled=options.compile,
    )
    return Parts(
        model=model,
        decoder=decoder,
        references=spoken,
        voices=tuple(preset.voice for preset in presets),
        phonemize=phonemize,
        attempts=options.attempts,
    )


def _batch(options: PytorchOptions, device: TorchDevice) -> int:
    if options.batch == "auto":
        return 1 if device.kind == DeviceChoice.CPU else _GPU_BATCH
    return options.batch


def _decoder(options: PytorchOptions, files: ModelFiles, device: TorchDevice) -> SpeechDecoder:
    named = options.codec
    if named == "auto":
        named = DEFAULT_DECODER if device.kind == DeviceChoice.CPU else GPU_CODEC
    path = files.file(named)
    if path.suffix == ".onnx":
        from vieneu_core.engines.speech_lm.onnx_decoder import OnnxDecoder

        return OnnxDecoder(path)
    from vieneu_core.engines.speech_lm.neucodec import TorchDecoder

    return TorchDecoder(path, device)
