"""What the engine ``sdk`` asks of the official SDK on a GPU: an SDK and a GPU stand in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_sdk import AN, pretend

from vieneu_core.engines.base import EngineInfo, EngineMemory, Utterance
from vieneu_core.engines.pytorch.device import TorchDevice
from vieneu_core.engines.sdk import SdkEngine, create, start
from vieneu_core.errors import DeviceMemoryError, MissingExtraError, ModelLoadError


class FakeVieneu:
    """Stands for the SDK's object on a GPU."""

    sample_rate, backend = 48_000, "pytorch"
    _default_voice = "An"
    arguments: dict[str, object]
    error: Exception | None = None

    def list_preset_voices(self) -> list[tuple[str, str]]:
        return [("Anh An", "An")]

    def infer_stream(self, _: str, **__: object) -> Iterator[Any]:
        if self.error is not None:
            raise self.error
        yield np.full(100, 0.5, np.float32)


class Gpu:
    """Stands for PyTorch on a GPU; ``seeds`` is what it was seeded with."""

    float16, bfloat16 = "float16", "bfloat16"
    has_bfloat16 = True

    def __init__(self) -> None:
        self.seeds: list[int] = []
        self.cuda = SimpleNamespace(
            get_device_name=lambda: "GPU of a test",
            mem_get_info=lambda: (6e9, 16e9),
            is_bf16_supported=lambda **_: self.has_bfloat16,
        )

    def manual_seed(self, seed: int) -> None:
        self.seeds.append(seed)


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> FakeVieneu:
    fallback = FakeVieneu()

    def make(**arguments: object) -> FakeVieneu:
        fallback.arguments = arguments
        return fallback

    pretend(monkeypatch, make)
    return fallback


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    there = Gpu()
    monkeypatch.setattr(start, "has_nvidia_gpu", lambda: True)
    monkeypatch.setattr(TorchDevice, "choose", lambda *_: TorchDevice(torch=there, kind="cuda"))
    return there


def load(folder: Path, **more: object) -> tuple[SdkEngine, EngineInfo]:
    engine = create({"model": str(folder), "codec": str(folder), **more})
    return engine, engine.load(lambda _: None)


def speak(engine: SdkEngine) -> bytes:
    return b"".join(engine.synthesize(Utterance(text="Số 5.", voice=AN), lambda: False))


def test_v3_turbo_runs_on_pytorch_and_tells_its_memory(
    sdk: FakeVieneu, gpu: Gpu, folder: Path
) -> None:
    engine, info = load(folder, precision="bf16", seed=7)

    assert sdk.arguments == {
        "mode": "v3turbo",
        "backbone_repo": str(folder),
        "model_subfolder": "",
        "moss_tokenizer": str(folder),
        "device": "cuda",
        "backend": "pytorch",
        "dtype": "bfloat16",
    }
    assert (info.accelerator, info.sample_rate_hz) == ("GPU of a test", 48_000)
    assert engine.memory() == EngineMemory(gpu_used_gb=10.0, gpu_total_gb=16.0)
    assert len(speak(engine)) == 200
    assert set(gpu.seeds) == {7}


@pytest.mark.usefixtures("gpu")
def test_weights_in_the_folder_of_the_repository_are_found(sdk: FakeVieneu, folder: Path) -> None:
    (folder / "update").mkdir()
    load(folder)

    assert (sdk.arguments["model_subfolder"], sdk.arguments["dtype"]) == ("update", "auto")


@pytest.mark.usefixtures("gpu")
def test_a_gpu_without_room_is_told_as_it_loads_and_as_it_speaks(
    sdk: FakeVieneu, folder: Path
) -> None:
    engine, _ = load(folder)
    full = RuntimeError("stream scheduler is down")
    full.__cause__ = RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
    sdk.error = full

    with pytest.raises(DeviceMemoryError):
        speak(engine)
    with pytest.raises(DeviceMemoryError):
        load(folder)


def test_a_model_that_says_nothing_is_told_as_it_loads(
    sdk: FakeVieneu, gpu: Gpu, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gpu.seeds == []
    monkeypatch.setattr(sdk, "infer_stream", lambda *_, **__: iter(()))

    with pytest.raises(ModelLoadError, match="no audio for a word"):
        load(folder)


@pytest.mark.usefixtures("gpu")
def test_a_precision_that_only_a_cpu_has_is_an_error(sdk: FakeVieneu, folder: Path) -> None:
    with pytest.raises(ModelLoadError, match="int8") as caught:
        load(folder, precision="int8")

    assert caught.value.remedy == "Write fp32 or fp16 or bf16."
    assert not hasattr(sdk, "arguments")


@pytest.mark.usefixtures("sdk")
def test_a_model_that_is_a_file_is_an_error(folder: Path) -> None:
    with pytest.raises(ModelLoadError, match="is no folder"):
        load(folder / "config.json", device="cpu")


def test_a_gpu_that_pytorch_cannot_use_leaves_the_cpu(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_torch(*_: object) -> TorchDevice:
        raise MissingExtraError("PyTorch", "torch")

    monkeypatch.setattr(start, "has_nvidia_gpu", lambda: True)
    for choose in (without_torch, lambda *_: TorchDevice(torch=None, kind="cpu")):
        monkeypatch.setattr(TorchDevice, "choose", choose)
        engine = create({"mode": "turbo"})
        monkeypatch.setattr(
            sdk, "get_preset_voice", lambda _: {"codes": np.ones(128)}, raising=False
        )
        assert engine.load(lambda _: None).accelerator is None
        assert sdk.arguments["device"] == "cpu"


@pytest.mark.usefixtures("gpu")
def test_fast_gets_its_share_of_the_gpu(sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sdk, "get_preset_voice", lambda _: {"codes": [1], "text": "a"}, raising=False
    )
    create({"mode": "fast", "model": "a/b", "gpu_share": 0.5}).load(lambda _: None)

    assert sdk.arguments == {"mode": "fast", "backbone_repo": "a/b", "memory_util": 0.5}


@pytest.mark.parametrize(("has_bfloat16", "dtype"), [(True, "bfloat16"), (False, "float16")])
def test_fast_computes_in_what_the_gpu_has(
    sdk: FakeVieneu, gpu: Gpu, monkeypatch: pytest.MonkeyPatch, *, has_bfloat16: bool, dtype: str
) -> None:
    """A T4 has no bfloat16, which the SDK asks for on every GPU."""
    gpu.has_bfloat16 = has_bfloat16
    asked: list[dict[str, object]] = []
    config = lambda **arguments: asked.append(arguments)  # noqa: E731 - its identity is compared
    lmdeploy = SimpleNamespace(TurbomindEngineConfig=config)
    monkeypatch.setitem(sys.modules, "lmdeploy", lmdeploy)

    def make(**_: object) -> FakeVieneu:  # as FastVieNeuTTS in 3.8.3
        lmdeploy.TurbomindEngineConfig(tp=1, dtype="bfloat16")
        return sdk

    pretend(monkeypatch, make)
    monkeypatch.setattr(
        sdk, "get_preset_voice", lambda _: {"codes": [1], "text": "a"}, raising=False
    )
    create({"mode": "fast", "model": "a/b"}).load(lambda _: None)

    assert asked == [{"tp": 1, "dtype": dtype}]
    assert lmdeploy.TurbomindEngineConfig is config
