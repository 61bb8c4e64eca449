"""Which device PyTorch runs on, with which numbers, and how much of it is taken."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any

from vieneu_core.engines.base import EngineMemory
from vieneu_core.errors import DeviceMemoryError, MissingExtraError, ModelLoadError

_GB = 1e9


class DeviceChoice(StrEnum):
    """What the settings ask for."""

    AUTO = "auto"
    """The first of the others that is there."""
    CUDA = "cuda"
    MPS = "mps"
    CPU = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchDevice:
    """A device, and PyTorch itself."""

    torch: Any
    kind: str
    """``cuda``, ``mps`` or ``cpu``."""

    @classmethod
    def choose(cls, wanted: DeviceChoice) -> TorchDevice:
        """Find the device that is asked for.

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
                f"PyTorch {torch.__version__} finds no {wanted} device on this machine.",
                remedy="Set the option device to auto or cpu, or install the device's driver.",
            )
        return cls(torch=torch, kind=wanted.value)

    @property
    def name(self) -> str | None:
        """Name of the accelerator, for people; None is the CPU."""
        if self.kind == DeviceChoice.CUDA:
            return str(self.torch.cuda.get_device_name())
        return "Apple GPU" if self.kind == DeviceChoice.MPS else None

    @property
    def dtype(self) -> Any:
        """The numbers to compute with.

        bfloat16 only where the device itself has it: a T4 has not, and emulates it slowly.
        """
        if self.kind != DeviceChoice.CUDA:
            return self.torch.float32
        native = self.torch.cuda.is_bf16_supported(including_emulation=False)
        return self.torch.bfloat16 if native else self.torch.float16

    def memory(self) -> EngineMemory:
        """Measure the memory of the device."""
        if self.kind == DeviceChoice.CUDA:
            free, total = self.torch.cuda.mem_get_info()
            return EngineMemory(gpu_used_gb=(total - free) / _GB, gpu_total_gb=total / _GB)
        if self.kind == DeviceChoice.MPS:
            return EngineMemory(gpu_used_gb=self.torch.mps.driver_allocated_memory() / _GB)
        return EngineMemory()

    def release(self) -> None:
        """Give back what is cached of the device's memory."""
        if self.kind == DeviceChoice.CUDA:
            self.torch.cuda.empty_cache()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Compute without gradients; a device that has no more memory is named.

        Raises:
            DeviceMemoryError: it has none.
        """
        try:
            with self.torch.inference_mode():
                yield
        except (MemoryError, self.torch.OutOfMemoryError) as error:
            raise DeviceMemoryError(f"The device {self.kind} ran out of memory.") from error
        except RuntimeError as error:
            if "DefaultCPUAllocator" in str(error):
                raise DeviceMemoryError("PyTorch ran out of memory.") from error
            raise


def load_torch() -> Any:
    """Import PyTorch.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        with quiet():
            return import_module("torch")
    except ImportError as error:
        raise MissingExtraError("PyTorch", "torch") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Let packages around PyTorch complain about their own age unheard."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
