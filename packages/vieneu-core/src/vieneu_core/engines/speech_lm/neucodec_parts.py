"""Parts of NeuCodec, built separately from a checkpoint with the sizes in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from vieneu_core.engines.load_failure import first_line
from vieneu_core.engines.pytorch.device import TorchDevice, suppress_warnings
from vieneu_core.engines.speech_lm.codec import SAMPLES_PER_CODE
from vieneu_core.errors import MissingExtraError, ModelLoadError
from vieneu_core.installation import extra_command
from vieneu_core.translatable import Translatable

_HEAD_SIZE = 64
_DAMAGED = {"UnpicklingError", "SafetensorError"}
"""Exceptions of pickle (re-raised by torch) and of safetensors, which is not imported here."""


def load_features(features: Path) -> tuple[Any, Any]:
    """Load w2v-BERT 2.0 and its feature extractor."""
    transformers: Any = import_module("transformers")
    with translate_weight_errors(features, "folder of w2v-BERT 2.0"), suppress_warnings():
        return (
            transformers.Wav2Vec2BertModel.from_pretrained(
                features, output_hidden_states=True, local_files_only=True
            ),
            transformers.AutoFeatureExtractor.from_pretrained(features, local_files_only=True),
        )


def encoder_parts(device: TorchDevice, path: Path, heard: Any, extractor: Any) -> SimpleNamespace:
    """Build the parts that ``NeuCodec.encode_code`` uses, with their weights.

    Args:
        device: Device to use.
        path: The checkpoint.
        heard: The model w2v-BERT 2.0.
        extractor: Its feature extractor.
    """
    torch, state = device.torch, read_checkpoint(device.torch, path)
    encoder: Any = import_module("neucodec.codec_encoder")
    semantic: Any = import_module("neucodec.module")
    with suppress_warnings():
        n_mid, n_in = state["SemanticEncoder_module.initial_conv.weight"].shape[:2]
        n_out = state["SemanticEncoder_module.final_conv.weight"].shape[0]
        parts = SimpleNamespace(
            semantic_model=heard,
            SemanticEncoder_module=semantic.SemanticEncoder(n_in, n_out, n_mid),
            CodecEnc=encoder.CodecEncoder(**_encoder_sizes(state)),
            generator=decoder_of(state),
            fc_prior=linear_layer(torch, state, "fc_prior"),
        )
    fill(parts.SemanticEncoder_module, state, "SemanticEncoder_module.")
    fill(parts.CodecEnc, state, "CodecEnc.")
    fill(parts.generator, state, "generator.")
    for part in vars(parts).values():
        part.eval().to(device.kind)
    library = neucodec_library()
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


def decoder_of(state: dict[str, Any]) -> Any:
    """Create an empty decoder with the sizes of a checkpoint."""
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


def linear_layer(torch: Any, state: dict[str, Any], name: str) -> Any:
    """Build a linear layer of a checkpoint, with its weights."""
    n_out, n_in = state[f"{name}.weight"].shape
    layer = torch.nn.Linear(n_in, n_out)
    fill(layer, state, f"{name}.")
    return layer


def fill(part: Any, state: dict[str, Any], prefix: str) -> None:
    """Load the weights of a part; all must be present."""
    own = {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}
    missing = part.load_state_dict(own, strict=False).missing_keys
    # Checkpoints contain parameters, but no computed buffers.
    lacking = set(missing) & {name for name, _ in part.named_parameters()}
    if lacking:
        raise KeyError(f"{prefix}{min(lacking)}")


def read_checkpoint(torch: Any, path: Path) -> dict[str, Any]:
    """Read the tensors of a checkpoint by name; no code in it is executed."""
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    return state


@contextmanager
def translate_weight_errors(path: Path, what: str) -> Iterator[None]:
    """Translate failures to load weights.

    Raises:
        ModelLoadError: the weights cannot be loaded.
    """
    try:
        yield
    except (OSError, KeyError, ValueError, EOFError, AttributeError) as error:
        raise invalid_file(path, what, error) from error
    except RuntimeError as error:
        if "memory" in str(error).lower():
            raise
        raise invalid_file(path, what, error) from error
    except Exception as error:
        if type(error).__name__ in _DAMAGED:
            raise invalid_file(path, what, error) from error
        raise


def invalid_file(path: Path, what: str, error: Exception) -> ModelLoadError:
    """Return the error for an invalid file."""
    return ModelLoadError(
        Translatable(
            "{path} is no usable {what}: {why}", path=path, what=what, why=first_line(error)
        ),
        remedy="Delete it and load again, or name another.",
    )


def check_installed() -> None:
    """Check that neucodec is installed, before gigabytes are downloaded for it.

    Raises:
        MissingExtraError, ModelLoadError: it or a dependency is missing.
    """
    neucodec_library()


def neucodec_library() -> Any:
    """Import neucodec.

    Raises:
        MissingExtraError: it is not installed.
        ModelLoadError: a dependency is missing.
    """
    try:
        with suppress_warnings():
            return import_module("neucodec")
    except ModuleNotFoundError as error:
        if error.name in {"neucodec", "torch"} or error.name is None:
            raise MissingExtraError("NeuCodec on PyTorch", "torch") from error
        raise _unfit_versions(error) from error
    except (ImportError, OSError, RuntimeError) as error:
        if getattr(error, "name", None) in {"neucodec", "torch"}:
            raise MissingExtraError("NeuCodec on PyTorch", "torch") from error
        raise _unfit_versions(error) from error


def _unfit_versions(error: Exception) -> ModelLoadError:
    return ModelLoadError(
        Translatable(
            "NeuCodec is installed, but not what it needs: {why} (torch below 2.14,"
            " torchaudio 2.11 and torchao below 0.18 fit).",
            why=first_line(error),
        ),
        remedy=Translatable(
            "Install versions that fit together: {command}", command=extra_command("torch")
        ),
    )
