"""NeuCodec's decoder on ONNX Runtime, for the CPU, without PyTorch.

The graphs are those of https://huggingface.co/neuphonic/neucodec-onnx-decoder and the 8-bit one:
``codes`` int32 [1, 1, n] to float32 [1, 1, 480 * n].
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vieneu_core.engines.load_failure import first_line
from vieneu_core.engines.onnx_session import is_out_of_memory, open_session
from vieneu_core.engines.speech_lm.codec import SAMPLES_PER_CODE
from vieneu_core.errors import (
    DeviceMemoryError,
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
)
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INPUT = "codes"


class OnnxDecoder:
    """Decoder that runs an ONNX graph.

    Args:
        path: The ``.onnx`` file.
        threads: Number of threads; 0 means ONNX Runtime's default.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        ModelLoadError: the file is not such a graph.
    """

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        self._path = path
        self._session = _open(path, threads)
        self._check()

    @property
    def name(self) -> str:
        """Name of the codec, for people."""
        return self._path.stem if self._path.stem != "model" else self._path.parent.name

    def decode(self, codes: Sequence[int]) -> NDArray[np.float32]:
        """Return the samples of these codes, from -1 to 1, of shape (480 * len(codes),).

        Raises:
            SynthesisFailedError: the graph failed, or returned another number of samples.
            DeviceMemoryError: the device has too little memory.
        """
        import numpy as np

        given = np.asarray(codes, np.int32)[None, None]
        try:
            samples: NDArray[np.float32] = self._session.run(None, {_INPUT: given})[0].reshape(-1)
        except Exception as error:  # its classes differ between versions, and have no common base
            raise _failure(error) from error
        if len(samples) != SAMPLES_PER_CODE * len(codes):
            raise SynthesisFailedError(
                Translatable(
                    "The codec {name} made {n_samples} samples of {n_codes} codes.",
                    name=self.name,
                    n_samples=len(samples),
                    n_codes=len(codes),
                )
            )
        return samples.astype(np.float32, copy=False)

    def _check(self) -> None:
        """Decode a few codes, to detect an unsuitable graph at load time.

        Raises:
            ModelLoadError: the graph is unsuitable.
        """
        inputs = self._session.get_inputs()
        if [i.name for i in inputs] != [_INPUT] or inputs[0].type != "tensor(int32)":
            found = ", ".join(f"{i.name}: {i.type}" for i in inputs)
            raise _no_decoder(
                self._path, Translatable("It takes {found}, not codes: tensor(int32).", found=found)
            )
        try:
            self.decode([0] * 4)
        except SynthesisFailedError as error:
            raise _no_decoder(self._path, error.detail) from error


def _open(path: Path, threads: int) -> Any:
    try:
        return open_session(path, threads=threads)
    except ImportError as error:
        raise MissingExtraError("Decoding speech", "model") from error
    except Exception as error:  # its classes differ between versions, and have no common base
        if is_out_of_memory(error):
            raise _failure(error) from error
        raise _no_decoder(
            path, Translatable("ONNX Runtime says: {first_line}", first_line=first_line(error))
        ) from error


def _no_decoder(path: Path, why: str) -> ModelLoadError:
    return ModelLoadError(
        Translatable("{path} is no usable NeuCodec decoder. {why}", path=path, why=why),
        remedy="Delete it and load again, or name another file in the option codec.",
    )


def _failure(error: Exception) -> DeviceMemoryError | SynthesisFailedError:
    if is_out_of_memory(error):
        return DeviceMemoryError("The codec ran out of memory.")
    return SynthesisFailedError(
        Translatable("The codec failed: {reason}", reason=first_line(error))
    )
