"""What a device lacks has a name: memory, a compiler, a library, or the device itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from checkpoint.code_prompts import PLAIN
from checkpoint.torch_code_model import CPU, prompts, say_codes

from vieneu_core.engines.pytorch.device import DeviceChoice, TorchDevice
from vieneu_core.engines.pytorch.model import TorchModel
from vieneu_core.errors import DeviceMemoryError, MissingExtraError, ModelLoadError


def test_a_model_that_cannot_be_compiled_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def compile_lazily(forward: object, **_: object) -> Callable[..., object]:
        def fail(**_: object) -> object:
            raise torch._dynamo.exc.BackendCompilerFailed(forward, OSError("no g++"), None)

        return fail

    monkeypatch.setattr(torch, "compile", compile_lazily)
    with pytest.raises(ModelLoadError, match="option compile"):
        TorchModel(path, PLAIN, CPU, compiled=True)


def test_memory_that_is_full_is_named(model: TorchModel, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model._batch, "_model", full)
    with pytest.raises(DeviceMemoryError, match="cpu"):
        say_codes(model, prompts()[0])


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "MPS backend out of memory (MPS allocated: 9 GB)",
    ],
)
def test_every_way_to_say_that_memory_is_full_is_known(words: str) -> None:
    with pytest.raises(DeviceMemoryError), CPU.guarded():
        raise RuntimeError(words)
    with pytest.raises(RuntimeError, match="assert"), CPU.guarded():
        raise RuntimeError("CUDA error: device-side assert triggered")


def test_memory_that_is_really_full_is_named() -> None:
    with pytest.raises(DeviceMemoryError), CPU.guarded():
        CPU.torch.empty(1 << 50)


@pytest.mark.parametrize("wanted", [DeviceChoice.CUDA, DeviceChoice.MPS])
def test_a_device_that_is_not_there_is_an_error(wanted: DeviceChoice) -> None:
    if getattr(CPU.torch, wanted.value).is_available():
        pytest.skip("it is there")
    with pytest.raises(ModelLoadError, match=f"finds no {wanted}"):
        TorchDevice.choose(wanted)


def test_what_is_not_installed_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"vieneu-core\[torch\]"):
        TorchModel(path, PLAIN, CPU)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"vieneu-core\[torch\]"):
        TorchDevice.choose(DeviceChoice.AUTO)
