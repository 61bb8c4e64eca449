"""Start of the SDK on local files, without its watermarker, with its silent failures as errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from vieneu_core.engines.base import LoadProgress, OnLoad
from vieneu_core.engines.pytorch.device import DeviceChoice, TorchDevice
from vieneu_core.engines.registry import SDK, check_installed, has_nvidia_gpu, missing_extra
from vieneu_core.engines.sdk.error_mapping import capture_warnings, translate_errors
from vieneu_core.engines.sdk.models import Plan, plan_of
from vieneu_core.engines.sdk.options import SdkMode, SdkOptions
from vieneu_core.errors import MissingExtraError, ModelLoadError
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import read_json
from vieneu_core.voices.presets import MAX_PRESETS_BYTES

_NANO_CLONING = ("speaker_encoder.onnx", "codec_encoder.onnx", "reference_encoder.onnx")
_CODEC_ENCODER = "moss_audio_tokenizer_encode.onnx"
_TURBO_VOICES = "voices_v3_turbo.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The SDK with a loaded model."""

    sdk: Any
    """A `vieneu.base.BaseVieneuTTS`."""
    model: str
    """Name of the model, for people."""
    clones: bool
    """Whether all files for cloning are available."""
    denoises: bool
    """Whether a clip can be denoised before it is cloned."""
    device: TorchDevice | None = None
    """The GPU; None means the CPU."""


def start_sdk(options: SdkOptions, progress: OnLoad) -> Started:
    """Download missing files and load the model.

    Raises:
        MissingExtraError: a package is not installed.
        ModelLoadError: a part of the model is missing or damaged.
        DeviceMemoryError: the device has too little memory.
    """
    check_installed(SDK)
    make = _library()
    device = _device(options)
    plan = plan_of(options, device, progress)
    progress(LoadProgress(f"Loading {plan.model} by the VieNeu SDK"))
    with (
        capture_warnings() as faults,
        _hub_as(options),
        _without_watermarker(),
        _with_codec(plan.codec),
        _with_dtype(options.mode, device),
        translate_errors("The SDK does not load its model", ModelLoadError),
    ):
        sdk = make(mode=options.mode.value, **plan.arguments)
    started = Started(
        sdk=sdk,
        model=plan.model,
        clones=_clones(options.mode, sdk, plan),
        denoises=_denoises(options.mode, sdk, plan),
        device=device,
    )
    _check(options, started, faults)
    _check_voices(options.mode, sdk, plan)
    return started


def _library() -> Callable[..., Any]:
    try:
        found: Callable[..., Any] = import_module("vieneu").Vieneu
    except ImportError as error:
        raise missing_extra(SDK) from error
    return found


def _device(options: SdkOptions) -> TorchDevice | None:
    """Choose between CPU and GPU; PyTorch is imported only if there may be a GPU."""
    if options.mode is SdkMode.FAST or options.device == "cuda":
        return TorchDevice.choose(DeviceChoice.CUDA)
    if options.mode is SdkMode.V3_NANO or options.device == "cpu" or not has_nvidia_gpu():
        return None
    try:
        found = TorchDevice.choose(DeviceChoice.AUTO)
    except MissingExtraError:
        return None
    return found if found.kind == DeviceChoice.CUDA else None


# --- around the SDK's constructor ----------------------------------------------------------


@contextmanager
def _hub_as(options: SdkOptions) -> Iterator[None]:
    """Keep the SDK off the network if all files are cached: it contacts the hub for statistics.

    The variables are for modules that are imported now, the constants for those already imported.
    """
    constants: Any = import_module("huggingface_hub.constants")
    wanted: dict[str, str | bool] = {}
    if options.offline or options.mode.is_v3:
        wanted["HF_HUB_OFFLINE"] = True
    if options.cache is not None:
        wanted["HF_HUB_CACHE"] = str(options.cache)
    before = {name: (os.environ.get(name), getattr(constants, name)) for name in wanted}
    for name, value in wanted.items():
        os.environ[name] = "1" if value is True else str(value)
        setattr(constants, name, value)
    try:
        yield
    finally:
        for name, (variable, constant) in before.items():
            setattr(constants, name, constant)
            os.environ.pop(name)
            if variable is not None:
                os.environ[name] = variable


@contextmanager
def _without_watermarker() -> Iterator[None]:
    """Hide the watermarker from the SDK, which would import PyTorch (700 MB) even if unused.

    The worker watermarks, and reports failures. Besides, three modes watermark all audio that
    they stream regardless of ``apply_watermark``, each window separately.
    """
    there = sys.modules.get("perth")
    sys.modules["perth"] = None  # type: ignore[assignment]  # makes importing it an ImportError
    try:
        yield
    finally:
        sys.modules.pop("perth", None)
        if there is not None:
            sys.modules["perth"] = there


@contextmanager
def _with_codec(folder: Path | None) -> Iterator[None]:
    """Pass the codec's folder to v3 Turbo's engine, since the SDK's facade does not."""
    if folder is None:
        yield
        return
    with translate_errors("The SDK is not whole", ModelLoadError):
        module: Any = import_module("vieneu._v3_turbo_engine.onnx_runtime_lite")
    engine = module.OnnxV3LiteEngine
    module.OnnxV3LiteEngine = partial(engine, codec_dir=str(folder))
    try:
        yield
    finally:
        module.OnnxV3LiteEngine = engine


@contextmanager
def _with_dtype(mode: SdkMode, device: TorchDevice | None) -> Iterator[None]:
    """Let the mode fast compute in float16 on a GPU without bfloat16, such as a T4.

    The SDK asks LMDeploy for bfloat16 on every GPU (3.8.3, fast.py); on such a one that fails, or
    ends in noise, as its own message says.
    """
    if mode is not SdkMode.FAST or device is None or device.dtype is not device.torch.float16:
        yield
        return
    try:
        module: Any = import_module("lmdeploy")
    except ImportError:  # the SDK says so
        yield
        return
    config = module.TurbomindEngineConfig

    def in_float16(**arguments: object) -> object:
        return config(**arguments | {"dtype": "float16"})

    module.TurbomindEngineConfig = in_float16
    try:
        yield
    finally:
        module.TurbomindEngineConfig = config


# --- what it passed over -------------------------------------------------------------------


def _check(options: SdkOptions, started: Started, faults: list[str]) -> None:
    """Reject a model that the SDK would use in spite of faults.

    Raises:
        ModelLoadError: a part is missing or damaged.
    """
    if faults:
        raise ModelLoadError(
            Translatable("The SDK passed over a fault while it loaded: {faults}", faults=faults[0]),
            remedy="Download the model again, or correct the option that names it.",
        )
    engine = getattr(started.sdk, "engine", None)
    if options.mode is SdkMode.V3_TURBO and getattr(engine, "sess_codec_step", ()) is None:
        raise ModelLoadError(
            "The codec's decoder that streams is missing or broken"
            " (moss_audio_tokenizer_decode_step.onnx, codec_browser_onnx_meta.json).",
            remedy="Download the codec again, or correct the option codec.",
        )


def _check_voices(mode: SdkMode, sdk: Any, plan: Plan) -> None:
    """Reject a file of voices of which the SDK has skipped a part.

    Raises:
        ModelLoadError: a voice has no speaker, or the default voice is missing.
    """
    if mode is not SdkMode.V3_TURBO or plan.folder is None:
        return
    path = plan.folder / _TURBO_VOICES
    default, presets = _stored_voices(path) if path.is_file() else (None, {})
    for name, preset in presets.items():
        if preset.get("speaker_emb") is None:
            raise ModelLoadError(
                Translatable(
                    "The voice {name!r} in {path} has no speaker_emb.", name=name, path=path
                ),
                remedy="Download the model again, or remove the voice from the file.",
            )
    if default not in (None, getattr(sdk, "_default_voice", None)):
        raise ModelLoadError(
            Translatable(
                "{path} names {default!r} as its default voice, and there is no such voice.",
                path=path,
                default=default,
            ),
            remedy="Download the model again, or correct default_voice in the file.",
        )


def _stored_voices(path: Path) -> tuple[object, dict[str, dict[str, object]]]:
    """Return the default voice and the presets of a file that came with a model."""
    try:
        stored = read_json(path, max_bytes=MAX_PRESETS_BYTES)
        presets = stored.get("presets", {})
        return stored.get("default_voice"), {name: dict(presets[name]) for name in presets}
    except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise ModelLoadError(
            Translatable("The voices {path} cannot be read: {error}.", path=path, error=error),
            remedy="Download the model again, or correct the file.",
        ) from error


def _clones(mode: SdkMode, sdk: Any, plan: Plan) -> bool:
    if plan.folder is not None:
        wanted = _NANO_CLONING if mode is SdkMode.V3_NANO else _NANO_CLONING[:1]
        files = [plan.folder / name for name in wanted]
        files += [plan.codec / _CODEC_ENCODER] if plan.codec is not None else []
        return all(map(Path.is_file, files))
    if mode is SdkMode.TURBO:
        return getattr(sdk, "encoder_sess", None) is not None
    return hasattr(getattr(sdk, "codec", None), "encode_code")


def _denoises(mode: SdkMode, sdk: Any, plan: Plan) -> bool:
    if mode is SdkMode.V3_NANO and plan.folder is not None:
        return (plan.folder / "denoiser.onnx").is_file()
    return getattr(getattr(sdk, "engine", None), "denoiser", None) is not None
