"""NeuCodec on PyTorch: its decoder on any device, and its encoder, which makes codes of a clip.

The parts are those of the package neucodec (https://github.com/neuphonic/neucodec). Its own loader
asks the hub each time, and always builds both halves; here each is built from a file, alone, in the
sizes that the file says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from vieneu_core.engines.pytorch.device import DeviceChoice, TorchDevice, suppress_warnings
from vieneu_core.engines.speech_lm.codec import SAMPLES_PER_CODE
from vieneu_core.errors import (
    MissingExtraError,
    ModelLoadError,
    ReferenceAudioError,
    SynthesisFailedError,
)
from vieneu_core.installation import extra_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

WEIGHTS = "pytorch_model.bin"
_HEAD_SIZE = 64
_SHORTEST = 1_600
"""Samples, 0.1 s: of less the extractor makes no features at all."""
_FINGERPRINT_BYTES = 1 << 20
_DAMAGED = {"UnpicklingError", "SafetensorError"}
"""Of pickle, re-raised by torch; and of safetensors, which is not imported here."""


class TorchDecoder:
    """Codes to samples.

    Args:
        weights: The file ``pytorch_model.bin``, or its folder.
        device: Where.

    Raises:
        MissingExtraError: neucodec, or what it needs, is not installed.
        ModelLoadError: the file is no NeuCodec checkpoint.
    """

    def __init__(self, weights: Path, device: TorchDevice) -> None:
        self._device = device
        self._library = _library()
        path = _file(weights)
        self.name = "neucodec"
        with device.guarded(), _named(path, "NeuCodec checkpoint"):
            state = _read(device.torch, path)
            self._parts = SimpleNamespace(
                generator=_generator(state), fc_post_a=_linear(device.torch, state, "fc_post_a")
            )
            _fill(self._parts.generator, state, "generator.")
            for part in vars(self._parts).values():
                part.eval().to(device.kind)

    def decode(self, codes: Sequence[int]) -> NDArray[np.float32]:
        """Return the samples of these codes, from -1 to 1, of shape (480 * len(codes),).

        Raises:
            SynthesisFailedError: the codec failed, or gave other than that many numbers.
            DeviceMemoryError: there is not enough memory.
        """
        torch = self._device.torch
        with self._device.guarded():
            given = torch.tensor(codes, dtype=torch.long, device=self._device.kind)[None, None]
            try:
                made = self._library.NeuCodec.decode_code(self._parts, given)
            except (IndexError, ValueError) as error:
                raise SynthesisFailedError(f"The codec failed: {error}") from error
            samples: NDArray[np.float32] = made.reshape(-1).float().cpu().numpy()
        if len(samples) != SAMPLES_PER_CODE * len(codes):
            raise SynthesisFailedError(
                f"The codec {self.name} made {len(samples)} samples of {len(codes)} codes."
            )
        return samples


class NeuCodecEncoder:
    """A clip to codes.

    Args:
        weights: The file ``pytorch_model.bin``, or its folder.
        features: The folder of w2v-BERT 2.0.
        device: Where; None is the CPU, as it is rarely used.

    Raises:
        MissingExtraError: neucodec, or what it needs, is not installed.
        ModelLoadError: the files are not those of NeuCodec.
    """

    def __init__(self, weights: Path, features: Path, device: TorchDevice | None = None) -> None:
        self._device = device or TorchDevice.choose(DeviceChoice.CPU)
        self._library = _library()
        path = _file(weights)
        # What hears the clip decides over its codes as much as what writes them.
        self._fingerprint = _fingerprint(path, *sorted(features.glob("*.safetensors")))
        with self._device.guarded():
            hearing = _hearing(features)
            with _named(path, "NeuCodec checkpoint"):
                self._parts = _encoder_parts(self._device, path, *hearing)

    @property
    def fingerprint(self) -> str:
        """Names the encoder and its weights."""
        return self._fingerprint

    def encode(self, samples: NDArray[np.float32]) -> tuple[int, ...]:
        """Return the codes of a clip of shape (n_samples,) at 16 000 Hz, 50 a second.

        Raises:
            ReferenceAudioError: the clip cannot be encoded.
            DeviceMemoryError: there is not enough memory.
        """
        torch = self._device.torch
        if len(samples) < _SHORTEST:
            raise ReferenceAudioError(f"The clip has only {len(samples)} samples.")
        with self._device.guarded(), suppress_warnings():
            clip = torch.from_numpy(samples.copy())[None, None]
            try:
                codes = self._library.NeuCodec.encode_code(self._parts, clip)
            except (ValueError, RuntimeError) as error:
                if isinstance(error, torch.OutOfMemoryError):
                    raise
                raise ReferenceAudioError(
                    f"NeuCodec cannot encode the clip of {len(samples)} samples."
                ) from error
            return tuple(codes.reshape(-1).tolist())


def _hearing(features: Path) -> tuple[Any, Any]:
    """Load w2v-BERT 2.0, and what prepares a clip for it."""
    transformers: Any = import_module("transformers")
    with _named(features, "folder of w2v-BERT 2.0"), suppress_warnings():
        return (
            transformers.Wav2Vec2BertModel.from_pretrained(
                features, output_hidden_states=True, local_files_only=True
            ),
            transformers.AutoFeatureExtractor.from_pretrained(features, local_files_only=True),
        )


def _encoder_parts(device: TorchDevice, path: Path, heard: Any, extractor: Any) -> SimpleNamespace:
    torch, state = device.torch, _read(device.torch, path)
    encoder: Any = import_module("neucodec.codec_encoder")
    semantic: Any = import_module("neucodec.module")
    with suppress_warnings():
        n_mid, n_in = state["SemanticEncoder_module.initial_conv.weight"].shape[:2]
        n_out = state["SemanticEncoder_module.final_conv.weight"].shape[0]
        parts = SimpleNamespace(
            semantic_model=heard,
            SemanticEncoder_module=semantic.SemanticEncoder(n_in, n_out, n_mid),
            CodecEnc=encoder.CodecEncoder(**_encoder_sizes(state)),
            generator=_generator(state),
            fc_prior=_linear(torch, state, "fc_prior"),
        )
    _fill(parts.SemanticEncoder_module, state, "SemanticEncoder_module.")
    _fill(parts.CodecEnc, state, "CodecEnc.")
    _fill(parts.generator, state, "generator.")
    for part in vars(parts).values():
        part.eval().to(device.kind)
    library = _library()
    parts.feature_extractor = extractor
    parts.device = torch.device(device.kind)
    parts._prepare_audio = lambda clip: library.NeuCodec._prepare_audio(parts, clip)  # noqa: SLF001 - what encode_code calls
    return parts


def _encoder_sizes(state: dict[str, Any]) -> dict[str, int]:
    first = state["CodecEnc.conv_blocks.0.weight_v"]
    last = max(
        key for key in state if key.startswith("CodecEnc.conv_final_block.") and "weight_v" in key
    )
    return {"ngf": first.shape[0], "hidden_dim": state[last].shape[0]}


def _generator(state: dict[str, Any]) -> Any:
    """Make an empty decoder in the sizes of a checkpoint."""
    vocos: Any = import_module("neucodec.codec_decoder_vocos")
    hidden, vq = state["fc_post_a.weight"].shape
    layers = {
        key.split(".")[3] for key in state if key.startswith("generator.backbone.transformers.")
    }
    with suppress_warnings():
        return vocos.CodecDecoderVocos(
            hidden_dim=hidden,
            depth=len(layers),
            heads=hidden // _HEAD_SIZE,
            pos_meb_dim=_HEAD_SIZE,
            hop_length=SAMPLES_PER_CODE,
            vq_dim=vq,
        )


def _linear(torch: Any, state: dict[str, Any], name: str) -> Any:
    n_out, n_in = state[f"{name}.weight"].shape
    layer = torch.nn.Linear(n_in, n_out)
    _fill(layer, state, f"{name}.")
    return layer


def _fill(part: Any, state: dict[str, Any], prefix: str) -> None:
    """Load the weights of a part; all of them must be there."""
    own = {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}
    missing = part.load_state_dict(own, strict=False).missing_keys
    # Buffers that are computed are in no checkpoint; parameters are.
    lacking = set(missing) & {name for name, _ in part.named_parameters()}
    if lacking:
        raise KeyError(f"{prefix}{min(lacking)}")


def _read(torch: Any, path: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    return state


def _file(weights: Path) -> Path:
    return weights / WEIGHTS if weights.is_dir() else weights


def _fingerprint(*paths: Path) -> str:
    """Return what tells these weights from others: size, beginning and end of each."""
    found = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                found.update(file.read(_FINGERPRINT_BYTES))
                size = file.seek(0, 2)
                file.seek(max(0, size - _FINGERPRINT_BYTES))
                found.update(file.read() + b"%d" % size)
        except OSError as error:
            raise _invalid(path, "NeuCodec checkpoint", error) from error
    return found.hexdigest()


@contextmanager
def _named(path: Path, what: str) -> Iterator[None]:
    """Give what goes wrong while weights are loaded a name.

    Raises:
        ModelLoadError
    """
    try:
        yield
    except (OSError, KeyError, ValueError, EOFError, AttributeError) as error:
        raise _invalid(path, what, error) from error
    except RuntimeError as error:
        if "memory" in str(error).lower():
            raise
        raise _invalid(path, what, error) from error
    except Exception as error:
        if type(error).__name__ in _DAMAGED:
            raise _invalid(path, what, error) from error
        raise


def _invalid(path: Path, what: str, error: Exception) -> ModelLoadError:
    why = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return ModelLoadError(
        f"{path} is no usable {what}: {why}",
        remedy="Delete it and load again, or name another.",
    )


def check_installed() -> None:
    """Make sure of it before gigabytes are fetched for it.

    Raises:
        MissingExtraError, ModelLoadError: it is not there, or not with what it needs.
    """
    _library()


def _library() -> Any:
    """Import neucodec.

    Raises:
        MissingExtraError: it is not installed.
        ModelLoadError: it is, but not with what it needs.
    """
    try:
        with suppress_warnings():
            return import_module("neucodec")
    except ModuleNotFoundError as error:
        if error.name in {"neucodec", "torch"} or error.name is None:
            raise MissingExtraError("NeuCodec on PyTorch", "torch") from error
        raise _invalid_shape(error) from error
    except (ImportError, OSError, RuntimeError) as error:
        if getattr(error, "name", None) in {"neucodec", "torch"}:
            raise MissingExtraError("NeuCodec on PyTorch", "torch") from error
        raise _invalid_shape(error) from error


def _invalid_shape(error: Exception) -> ModelLoadError:
    why = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return ModelLoadError(
        f"NeuCodec is installed, but not what it needs: {why} (torch below 2.14, torchaudio 2.11"
        " and torchao below 0.18 fit).",
        remedy=f"Install versions that fit together: {extra_command('torch')}",
    )
