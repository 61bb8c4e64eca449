"""A synthetic voice of sanoTTS: the real format, small networks with random weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from vieneu_core.engines.sano.voice_folder import MANIFEST, PHONEMES, WEIGHTS, Manifest

RATE_HZ = 22_050
HOP = 256
"""Samples of a frame: the product of the decoder's steps."""
_SYMBOLS = (
    "_^$ !'(),-.:;?abcdefhijklmnopqrstuvwxyzæçðøħŋœǀǁǂǃɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾ"
    'ʀʁʂʃʄʈʉʊʋʌʍʎʏʐʑʒʔʕʘʙʛʜʝʟʡʢʲˈˌːˑ˞βθχᵻⱱ0123456789\u0327\u0303\u032a\u032f\u0329ʰˤε↓#"'
)
"""Phonemes in the order of Piper's numbers (https://github.com/OHF-Voice/piper1-gpl)."""
_DURATION = {
    "architecture": "duration_conv",
    "vocab_size": len(_SYMBOLS),
    "hidden": 4,
    "depth": 1,
    "max_tokens": 120,
    "max_duration": 8,
}
_ACOUSTIC = {
    "architecture": "token_context",
    "vocab_size": len(_SYMBOLS),
    "hidden": 4,
    "depth": 1,
    "token_depth": 1,
    "out_channels": 6,
}
_DECODER = {"variant": "piperlite", "channels": [6, 5, 4, 3], "res_layers": 1}
_KERNEL = 3


def write_sano_voice(
    folder: Path, *, language: str = "vi", seed: int = 1, rate_hz: int = RATE_HZ
) -> Path:
    """Write a voice, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PHONEMES).write_text(
        json.dumps(
            {
                "phoneme_type": "espeak",
                "espeak": {"voice": language},
                "phoneme_id_map": {symbol: [at] for at, symbol in enumerate(_SYMBOLS)},
            }
        ),
        "utf-8",
    )
    manifest, weights = _packed(seed, rate_hz)
    (folder / WEIGHTS).write_bytes(weights)
    (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    return folder


def files_of(folder: Path, package: str) -> dict[str, bytes]:
    """Return the files of a voice as a repository of the hub has them."""
    return {f"{package}/{path.name}": path.read_bytes() for path in folder.iterdir()}


def _packed(seed: int, rate_hz: int) -> tuple[dict[str, Any], bytes]:
    random = np.random.default_rng(seed)
    configs = {"duration": _DURATION, "acoustic": _ACOUSTIC, "decoder": _DECODER}
    manifest: dict[str, Any] = {
        "format": "roota.raw-fp16.v1",
        "sample_rate": rate_hz,
        "weights_file": WEIGHTS,
        "weights_size_bytes": 0,
        "inference": {"duration_length_scale": 1.16},
        "frontend": {"included_config": PHONEMES},
        "components": {
            name: {"config": config, "tensors": [_EMPTY]} for name, config in configs.items()
        },
    }
    weights = bytearray()
    for component, needed in Manifest.model_validate(manifest).needed().items():
        tensors = []
        for name, shape in needed.items():
            sizes = [size or _KERNEL for size in shape.sizes]
            values = random.normal(0.0, 0.6, sizes).astype("<f2").tobytes()
            tensors.append(
                {
                    "name": name,
                    "shape": sizes,
                    "dtype": "float16",
                    "offset_bytes": len(weights),
                    "nbytes": len(values),
                }
            )
            weights += values
        manifest["components"][component]["tensors"] = tensors
    manifest["weights_size_bytes"] = len(weights)
    manifest["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    return manifest, bytes(weights)


_EMPTY = {"name": "none", "shape": [1], "dtype": "float16", "offset_bytes": 0, "nbytes": 2}
