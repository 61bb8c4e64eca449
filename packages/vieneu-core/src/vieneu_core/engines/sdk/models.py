"""Files of the SDK's models, and the constructor arguments for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vieneu_core.engines.base import LoadProgress, OnLoad
from vieneu_core.engines.pytorch.device import TorchDevice
from vieneu_core.engines.sdk.options import SdkMode, SdkOptions
from vieneu_core.errors import ModelLoadError
from vieneu_core.models.hub import Hub, hub_cache_dir
from vieneu_core.models.local_files import checked_path
from vieneu_core.models.source import parse_source
from vieneu_core.translatable import Translatable

# Repositories of the v3 models in SDK 3.8.3, and the files that it reads of them.
_TURBO = "pnnbao-ump/VieNeu-TTS-v3-Turbo"
_TURBO_CODEC = "OpenMOSS-Team/MOSS-Audio-Tokenizer-Nano"
_TURBO_CODEC_FILES = ("moss_audio_tokenizer_*", "codec_browser_onnx_meta.json")
_TURBO_WEIGHTS = "update"
_CLONING = ("speaker_encoder*.onnx", "denoiser*.onnx", "voices_v3_turbo*.json")
_NANO = "pnnbao-ump/VieNeu-TTS-v3-Nano"
_DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Arguments of the SDK's constructor, and folders of its files."""

    arguments: Mapping[str, object]
    model: str
    folder: Path | None = None
    """The model's folder, if known."""
    codec: Path | None = None
    """Folder of v3 Turbo's ONNX codec."""


def plan_of(options: SdkOptions, device: TorchDevice | None, progress: OnLoad) -> Plan:
    """Download missing files of a v3 model, and return the plan; the SDK downloads other models.

    Raises:
        ModelLoadError: a file is not available.
        MissingExtraError: huggingface_hub is needed and not installed.
    """
    match options.mode:
        case SdkMode.V3_TURBO if device is not None:
            return _turbo_on_gpu(options, device, progress)
        case SdkMode.V3_TURBO:
            return _turbo_on_cpu(options, progress)
        case SdkMode.V3_NANO:
            return _nano(options, progress)
        case SdkMode.STANDARD:
            return _standard(options, device)
        case SdkMode.TURBO:
            return _old_turbo(options, device)
        case SdkMode.FAST:
            return Plan(arguments=options.making(), model=_label(options, "VieNeu-TTS"))


def _turbo_on_cpu(options: SdkOptions, progress: OnLoad) -> Plan:
    precision = _precision(options, "fp32", "int8")
    below = "onnx_int8" if precision == "int8" else "onnx_update"
    folder = _fetched(options.model or _TURBO, (f"{below}/*", *_CLONING), options, progress)
    codec = options.codec or f"{_TURBO_CODEC}-ONNX"
    graphs = folder / below if (folder / below).is_dir() else folder
    return Plan(
        arguments={
            "backbone_repo": str(folder),
            "onnx_dir": str(graphs),
            "device": "cpu",
            "backend": "onnx",
            **options.making(),
        },
        model=_label(options, _TURBO),
        folder=folder,
        codec=_fetched(codec, _TURBO_CODEC_FILES, options, progress),
    )


def _turbo_on_gpu(options: SdkOptions, device: TorchDevice, progress: OnLoad) -> Plan:
    precision = _precision(options, *_DTYPES)
    wanted = (f"{_TURBO_WEIGHTS}/*", *_CLONING)
    folder = _fetched(options.model or _TURBO, wanted, options, progress)
    codec = _fetched(options.codec or _TURBO_CODEC, ("*",), options, progress)
    return Plan(
        arguments={
            "backbone_repo": str(folder),
            "model_subfolder": _TURBO_WEIGHTS if (folder / _TURBO_WEIGHTS).is_dir() else "",
            "moss_tokenizer": str(codec),
            "device": device.kind,
            "backend": "pytorch",
            "dtype": _DTYPES.get(precision or "", "auto"),
        },
        model=_label(options, _TURBO),
        folder=folder,
    )


def _nano(options: SdkOptions, progress: OnLoad) -> Plan:
    wanted = ("*.onnx", "config.json", "constants.npz")
    folder = _fetched(options.model or _NANO, wanted, options, progress)
    return Plan(
        arguments={"onnx_dir": str(folder), **options.making()},
        model=_label(options, _NANO),
        folder=folder,
    )


def _standard(options: SdkOptions, device: TorchDevice | None) -> Plan:
    """Return the plan of a standard model: a folder, or a GGUF on the hub, which the SDK lists."""
    arguments = options.making()
    if options.model is not None:
        repo, _, file = options.model.partition(":")
        if repo.startswith(("/", "~")):
            repo = str(checked_path(Path(repo).expanduser()))
        if repo.endswith(".gguf"):
            raise ModelLoadError(
                Translatable("The SDK does not load the file {repo}.", repo=repo),
                remedy="Use the engine gguf for it.",
            )
        arguments |= {"backbone_repo": repo, "gguf_filename": file or None}
    kind = "cpu" if device is None else device.kind
    if "onnx" not in str(options.codec or "onnx").lower():
        arguments["codec_device"] = kind
    return Plan(
        arguments={**arguments, "backbone_device": kind}, model=_label(options, "VieNeu-TTS-v2")
    )


def _old_turbo(options: SdkOptions, device: TorchDevice | None) -> Plan:
    arguments = {**options.making(), "device": "cpu" if device is None else device.kind}
    if options.codec is not None and options.codec.startswith(("/", "~")):
        codec = checked_path(Path(options.codec).expanduser())
        arguments["decoder_repo"] = str(codec / "vieneu_decoder.onnx")
        arguments["encoder_repo"] = str(codec / "vieneu_encoder.onnx")
    elif options.codec is not None:
        arguments["decoder_repo"] = arguments["encoder_repo"] = options.codec
    return Plan(arguments=arguments, model=_label(options, "VieNeu-TTS-v2-Turbo"))


def _precision(options: SdkOptions, *allowed: str) -> str | None:
    if options.precision is not None and options.precision not in allowed:
        raise ModelLoadError(
            Translatable(
                "The option precision of the engine sdk is {precision}, which the SDK does"
                " not offer on this device.",
                precision=options.precision,
            ),
            remedy=Translatable("Write {allowed}.", allowed=" or ".join(allowed)),
        )
    return options.precision


def _label(options: SdkOptions, default: str) -> str:
    name = Path((options.model or default).partition("@")[0]).name
    return f"{name} {options.precision}" if options.precision else name


def _fetched(named_: str, files: tuple[str, ...], options: SdkOptions, progress: OnLoad) -> Path:
    """Return a folder; download it with progress, resuming an interrupted download."""
    source = parse_source(named_)
    if source.path is None:
        source = replace(source, files=files)
    hub = Hub(
        cache_dir=options.cache or hub_cache_dir(os.environ),
        endpoint=os.environ.get("HF_ENDPOINT") or None,
        token=os.environ.get("HF_TOKEN") or None,
        offline=options.offline,
    )
    folder = hub.fetch(source, lambda *step: progress(LoadProgress(*step)))
    if not folder.is_dir():
        raise ModelLoadError(
            Translatable("{folder} is no folder.", folder=folder),
            remedy="Name the folder that contains it.",
        )
    return folder
