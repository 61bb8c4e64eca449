"""NeuCodec on PyTorch: its decoder on any device, and its encoder, which encodes a clip.

The parts are those of the package neucodec (https://github.com/neuphonic/neucodec). Its own loader
contacts the hub each time, and always builds both halves; here each is built from a file, with the
sizes in that file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from vieneu_core.engines.pytorch.device import DeviceChoice, TorchDevice, suppress_warnings
from vieneu_core.engines.speech_lm.codec import SAMPLES_PER_CODE
from vieneu_core.engines.speech_lm.neucodec_parts import (
    decoder_of,
    encoder_parts,
    fill,
    invalid_file,
    linear_layer,
    load_features,
    neucodec_library,
    read_checkpoint,
    translate_weight_errors,
)
from vieneu_core.errors import ReferenceAudioError, SynthesisFailedError
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEIGHTS = "pytorch_model.bin"
_SHORTEST = 1_600
"""Samples (0.1 s); the extractor makes no features of less."""
_FINGERPRINT_BYTES = 1 << 20


class TorchDecoder:
    """Decoder on PyTorch: codes to samples.

    Args:
        weights: The file ``pytorch_model.bin``, or its folder.
        device: Device to use.

    Raises:
        MissingExtraError: neucodec or a dependency is not installed.
        ModelLoadError: the file is no NeuCodec checkpoint.
    """

    def __init__(self, weights: Path, device: TorchDevice) -> None:
        self._device = device
        self._library = neucodec_library()
        path = _file(weights)
        self.name = "neucodec"
        with device.guarded(), translate_weight_errors(path, "NeuCodec checkpoint"):
            state = read_checkpoint(device.torch, path)
            self._parts = SimpleNamespace(
                generator=decoder_of(state),
                fc_post_a=linear_layer(device.torch, state, "fc_post_a"),
            )
            fill(self._parts.generator, state, "generator.")
            for part in vars(self._parts).values():
                part.eval().to(device.kind)

    def decode(self, codes: Sequence[int]) -> NDArray[np.float32]:
        """Return the samples of these codes, from -1 to 1, of shape (480 * len(codes),).

        Raises:
            SynthesisFailedError: the codec failed, or returned another number of samples.
            DeviceMemoryError: the device has too little memory.
        """
        torch = self._device.torch
        with self._device.guarded():
            given = torch.tensor(codes, dtype=torch.long, device=self._device.kind)[None, None]
            try:
                made = self._library.NeuCodec.decode_code(self._parts, given)
            except (IndexError, ValueError) as error:
                raise SynthesisFailedError(
                    Translatable("The codec failed: {error}", error=error)
                ) from error
            samples: NDArray[np.float32] = made.reshape(-1).float().cpu().numpy()
        if len(samples) != SAMPLES_PER_CODE * len(codes):
            raise SynthesisFailedError(
                Translatable(
                    "The codec {name} made {n_samples} samples of {n_codes} codes.",
                    name=self.name,
                    n_samples=len(samples),
                    n_codes=len(codes),
                )
            )
        return samples


class NeuCodecEncoder:
    """Encoder on PyTorch: a clip to codes.

    Args:
        weights: The file ``pytorch_model.bin``, or its folder.
        features: The folder of w2v-BERT 2.0.
        device: Device to use; None means the CPU, since it is rarely used.

    Raises:
        MissingExtraError: neucodec or a dependency is not installed.
        ModelLoadError: the files are not those of NeuCodec.
    """

    def __init__(self, weights: Path, features: Path, device: TorchDevice | None = None) -> None:
        self._device = device or TorchDevice.choose(DeviceChoice.CPU)
        self._library = neucodec_library()
        path = _file(weights)
        # Part of the fingerprint: the codes depend on the feature extractor as well.
        self._fingerprint = _fingerprint(path, *sorted(features.glob("*.safetensors")))
        with self._device.guarded():
            hearing = load_features(features)
            with translate_weight_errors(path, "NeuCodec checkpoint"):
                self._parts = encoder_parts(self._device, path, *hearing)

    @property
    def fingerprint(self) -> str:
        """Identifies the encoder and its weights."""
        return self._fingerprint

    def encode(self, samples: NDArray[np.float32]) -> tuple[int, ...]:
        """Return the codes of a clip of shape (n_samples,) at 16 000 Hz, 50 a second.

        Raises:
            ReferenceAudioError: the clip cannot be encoded.
            DeviceMemoryError: the device has too little memory.
        """
        torch = self._device.torch
        if len(samples) < _SHORTEST:
            raise ReferenceAudioError(
                Translatable("The clip has only {n_samples} samples.", n_samples=len(samples))
            )
        with self._device.guarded(), suppress_warnings():
            clip = torch.from_numpy(samples.copy())[None, None]
            try:
                codes = self._library.NeuCodec.encode_code(self._parts, clip)
            except (ValueError, RuntimeError) as error:
                if isinstance(error, torch.OutOfMemoryError):
                    raise
                raise ReferenceAudioError(
                    Translatable(
                        "NeuCodec cannot encode the clip of {n_samples} samples.",
                        n_samples=len(samples),
                    )
                ) from error
            return tuple(codes.reshape(-1).tolist())


def _file(weights: Path) -> Path:
    return weights / WEIGHTS if weights.is_dir() else weights


def _fingerprint(*paths: Path) -> str:
    """Return an identifier of these weights: size, beginning and end of each file."""
    found = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                found.update(file.read(_FINGERPRINT_BYTES))
                size = file.seek(0, 2)
                file.seek(max(0, size - _FINGERPRINT_BYTES))
                found.update(file.read() + b"%d" % size)
        except OSError as error:
            raise invalid_file(path, "NeuCodec checkpoint", error) from error
    return found.hexdigest()
