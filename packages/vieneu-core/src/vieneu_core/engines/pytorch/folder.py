"""Loading of a model folder in the layout of transformers; other models are rejected."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from vieneu_core.engines.load_failure import first_line
from vieneu_core.engines.pytorch.device import TorchDevice, suppress_warnings
from vieneu_core.engines.registry import PYTORCH, missing_extra
from vieneu_core.engines.speech_lm.prompt import Encode, SpeechVocabulary
from vieneu_core.errors import ModelLoadError
from vieneu_core.translatable import Translatable

_NEEDED = ("config.json", "tokenizer.json")
_ARCHITECTURES = ("Qwen2ForCausalLM", "Qwen3ForCausalLM", "LlamaForCausalLM")
_LOCAL = {"local_files_only": True, "trust_remote_code": False}


def load_folder(path: Path, device: TorchDevice) -> tuple[Encode, Any, SpeechVocabulary]:
    """Return tokeniser, model and speech tokens of a folder. Downloads nothing.

    Raises:
        MissingExtraError: transformers is not installed.
        ModelLoadError: the folder contains no VieNeu model, or an incomplete one.
        DeviceMemoryError: the device has too little memory.
    """
    _check_files(path)
    transformers = _library()
    with device.guarded(), suppress_warnings():
        try:
            encode, model, missing = _load(transformers, path, device)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise unusable(path, first_line(error)) from error
        except RuntimeError as error:
            if device.is_full(error):
                raise
            raise unusable(path, first_line(error)) from error
        except Exception as error:
            # tokenizers raises plain Exception, safetensors a class without a public base
            if type(error) is Exception or type(error).__name__ == "SafetensorError":
                raise unusable(path, first_line(error)) from error
            raise
    if missing:  # transformers would initialize missing weights randomly
        raise unusable(
            path,
            Translatable(
                "Its safetensors lack {n_missing} tensors, as {missing}.",
                n_missing=len(missing),
                missing=min(missing),
            ),
        )
    vocabulary = SpeechVocabulary.of(encode)
    _check_vocabulary(path, vocabulary, model)
    return encode, model, vocabulary


def _load(transformers: Any, path: Path, device: TorchDevice) -> tuple[Encode, Any, set[str]]:
    config = transformers.AutoConfig.from_pretrained(path, **_LOCAL)
    _check_architecture(path, config)
    tokenizer = transformers.AutoTokenizer.from_pretrained(path, **_LOCAL)
    model, loaded = transformers.AutoModelForCausalLM.from_pretrained(
        path,
        config=config,
        use_safetensors=True,
        output_loading_info=True,
        **{_dtype_name(transformers): device.dtype},
        **_LOCAL,
    )
    return _encoder(tokenizer), model.eval().to(device.kind), set(loaded["missing_keys"])


def _dtype_name(transformers: Any) -> str:
    """Return the name of the dtype argument in this version."""
    major = int(transformers.__version__.split(".")[0])
    return "dtype" if major >= 5 else "torch_dtype"  # noqa: PLR2004 - the version


def _library() -> Any:
    try:
        with suppress_warnings():
            transformers: Any = import_module("transformers")
    except ImportError as error:
        raise missing_extra(PYTORCH) from error
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    return transformers


def _check_files(path: Path) -> None:
    if not path.is_dir():
        raise unusable(path, "It is not a folder.")
    missing = [name for name in _NEEDED if not (path / name).is_file()]
    if not any(path.glob("*.safetensors")):
        missing.append("*.safetensors")
    if missing:
        raise unusable(path, Translatable("It has no {missing}.", missing=", ".join(missing)))


def _check_architecture(path: Path, config: Any) -> None:
    found = (config.architectures or ["none"])[0]
    if found not in _ARCHITECTURES:
        known = ", ".join(_ARCHITECTURES)
        raise unusable(
            path,
            Translatable(
                "It is a {found}; a VieNeu-TTS model is one of {known}.", found=found, known=known
            ),
        )


def _check_vocabulary(path: Path, vocabulary: SpeechVocabulary, model: Any) -> None:
    n_tokens = model.get_input_embeddings().weight.shape[0]
    last = max(vocabulary.end, vocabulary.first_code + vocabulary.n_codes - 1)
    if last >= n_tokens:
        raise unusable(
            path,
            Translatable(
                "Its tokenizer.json knows the token {last}; its model has {n_tokens} tokens.",
                last=last,
                n_tokens=n_tokens,
            ),
        )


def unusable(path: Path, why: str) -> ModelLoadError:
    """Return the error for an unusable folder."""
    return ModelLoadError(
        Translatable("The folder {path} contains no usable model. {why}", path=path, why=why),
        remedy="Delete it and load again, or name another in the option model.",
    )


def _encoder(tokenizer: Any) -> Encode:
    def encode(text: str) -> list[int]:
        tokens: list[int] = tokenizer.encode(text, add_special_tokens=False)
        return tokens

    return encode
