"""PyTorch device and dtype: selection, and memory in use."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any

from vieneu_core.engines.base import EngineMemory
from vieneu_core.errors import DeviceMemoryError, MissingExtraError, ModelLoadError
from vieneu_core.translatable import Translatable

_GB = 1e9
_FULL = (
    "DefaultCPUAllocator",
    "MPS backend out of memory",
    "CUDA error: out of memory",
    "_STATUS_ALLOC_FAILED",  # of cuBLAS and cuDNN
)
"""Messages of PyTorch for full memory, where it has no exception class."""
_FAST_BF16 = "avx512_bf16"


class DeviceChoice(StrEnum):
    """Device in the settings."""

    AUTO = "auto"
    """The first of the others that is available."""
    CUDA = "cuda"
    MPS = "mps"
    CPU = "cpu"


class Dtype(StrEnum):
    """Number type of a model, as PyTorch names it."""

    AUTO = "auto"
    """The fastest that the device supports natively."""
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchDevice:
    """A device, and the PyTorch module."""

    torch: Any
    kind: str
    """``cuda``, ``mps`` or ``cpu``."""
    wanted_dtype: Dtype = Dtype.AUTO

    @classmethod
    def choose(cls, wanted: DeviceChoice, dtype: Dtype = Dtype.AUTO) -> TorchDevice:
        """Return the requested device.

        Raises:
            MissingExtraError: PyTorch is not installed.
            ModelLoadError: there is no such device.
        """
        torch = load_torch()
        there = {
            DeviceChoice.CUDA: torch.cuda.is_available(),
            DeviceChoice.MPS: torch.backends.mps.is_available(),
            DeviceChoice.CPU: True,
        }
        if wanted is DeviceChoice.AUTO:
            wanted = next(kind for kind, is_there in there.items() if is_there)
        if not there[wanted]:
            raise ModelLoadError(
                Translatable(
                    "PyTorch {version} finds no {wanted} device on this machine.",
                    version=torch.__version__,
                    wanted=wanted,
                ),
                remedy="Set the option device to auto or cpu, or install the device's driver.",
            )
        return cls(torch=torch, kind=wanted.value, wanted_dtype=dtype)

    @property
    def is_accelerator(self) -> bool:
        """Return whether a larger batch hardly slows down each sentence."""
        return self.kind != DeviceChoice.CPU

    @property
    def name(self) -> str | None:
        """Name of the accelerator, for people; None means the CPU."""
        if self.kind == DeviceChoice.CUDA:
            return str(self.torch.cuda.get_device_name())
        return "Apple GPU" if self.kind == DeviceChoice.MPS else None

    @property
    def dtype(self) -> Any:
        """Number type for the model."""
        wanted = self._best_dtype() if self.wanted_dtype is Dtype.AUTO else self.wanted_dtype
        return getattr(self.torch, wanted)

    def _best_dtype(self) -> Dtype:
        """Return bfloat16, with which the models were trained, if the device supports it natively.

        A CPU that supports it needs a third of the time. A T4 only emulates it, slowly.
        """
        if self.kind == DeviceChoice.CUDA:
            native = self.torch.cuda.is_bf16_supported(including_emulation=False)
            return Dtype.BFLOAT16 if native else Dtype.FLOAT16
        if self.kind == DeviceChoice.CPU and self._cpu_can(_FAST_BF16):
            return Dtype.BFLOAT16
        return Dtype.FLOAT32

    def _cpu_can(self, name: str) -> bool:
        """Return whether the processor has a feature; False if PyTorch does not report it."""
        get_capabilities = getattr(self.torch.cpu, "get_capabilities", None)
        return get_capabilities is not None and bool(get_capabilities().get(name))

    def memory(self) -> EngineMemory:
        """Return the memory of the device."""
        if self.kind == DeviceChoice.CUDA:
            free, total = self.torch.cuda.mem_get_info()
            return EngineMemory(gpu_used_gb=(total - free) / _GB, gpu_total_gb=total / _GB)
        if self.kind == DeviceChoice.MPS:
            return EngineMemory(gpu_used_gb=self.torch.mps.driver_allocated_memory() / _GB)
        return EngineMemory()

    def release(self) -> None:
        """Release unused memory."""
        gc.collect()  # modules reference each other
        if self.is_accelerator:
            getattr(self.torch, self.kind).empty_cache()

    def is_full(self, error: BaseException) -> bool:
        """Return whether the error means that memory is full."""
        return isinstance(error, MemoryError | self.torch.OutOfMemoryError) or (
            isinstance(error, RuntimeError) and any(words in str(error) for words in _FULL)
        )

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Compute without gradients; translate errors about full memory.

        Raises:
            DeviceMemoryError: the device has too little memory.
        """
        try:
            with self.torch.inference_mode():
                yield
        except (MemoryError, RuntimeError) as error:
            if not self.is_full(error):
                raise
            raise DeviceMemoryError(
                Translatable("The device {kind} ran out of memory.", kind=self.kind)
            ) from error


def load_torch() -> Any:
    """Import PyTorch.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        with suppress_warnings():
            return import_module("torch")
    except ImportError as error:
        raise MissingExtraError("PyTorch", "torch") from error


@contextmanager
def suppress_warnings() -> Iterator[None]:
    """Suppress deprecation warnings of packages around PyTorch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
