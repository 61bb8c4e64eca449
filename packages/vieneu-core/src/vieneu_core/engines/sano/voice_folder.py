"""Folder of a sanoTTS voice: checked as a whole before any of it is decoded.

The format is ``roota.raw-fp16.v1`` of the package sanotts: ``manifest.json`` describes the networks
and where each tensor lies in one file of weights; a third file maps phonemes to numbers. A folder
may come from anywhere, so every size, offset and shape is compared with what the networks need.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vieneu_core.engines.sano.tensors import Shape, required_tensors
from vieneu_core.errors import ModelLoadError
from vieneu_core.files import check_ordinary
from vieneu_core.models.local_files import unreadable
from vieneu_core.models.source import is_plain
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import parse_json
from vieneu_core.validation import reason_of

MANIFEST = "manifest.json"
PHONEMES = "piper-phoneme-config.json"
WEIGHTS = "weights.fp16.bin"
_MAX_BYTES = {"manifest": 1 << 20, "phonemes": 1 << 18, "weights": 1 << 25}
"""The largest voice that is published has 20 kB, 2 kB and 4 MB."""
_ITEM_BYTES = {"float16": 2, "int32": 4, "int64": 8}

_Count = Annotated[int, Field(strict=True, ge=0, le=_MAX_BYTES["weights"])]
_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Width = Annotated[int, Field(strict=True, ge=1, le=1024)]
_Depth = Annotated[int, Field(strict=True, ge=1, le=16)]
_Branches = Annotated[tuple[Literal[0, 1, 2], ...], Field(min_length=1, max_length=3)]


class _Part(BaseModel):
    """A part of the manifest; what sanotts does not read is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class TensorEntry(_Part):
    """Where a tensor lies in the weights."""

    name: _Name
    shape: Annotated[tuple[_Width, ...], Field(min_length=1, max_length=4)]
    dtype: Literal["float16", "int32", "int64"]
    offset_bytes: _Count
    nbytes: _Count


class DurationConfig(_Part):
    """Network that gives each phoneme its length in frames."""

    architecture: Literal["duration_conv"]
    vocab_size: _Width
    hidden: _Width
    depth: _Depth
    max_tokens: Annotated[int, Field(strict=True, ge=32, le=4096)]
    max_duration: Annotated[int, Field(strict=True, ge=1, le=200)]


class AcousticConfig(_Part):
    """Network from phonemes to frames."""

    architecture: Literal["token_context"]
    vocab_size: _Width
    hidden: _Width
    depth: _Depth
    token_depth: _Depth
    out_channels: _Width


class DecoderConfig(_Part):
    """Network from frames to samples."""

    variant: Literal["piperlite"]
    channels: Annotated[tuple[_Width, ...], Field(min_length=4, max_length=4)]
    res_layers: Literal[1] = 1
    stage0_branches: _Branches | None = None
    stage1_branches: _Branches | None = None
    stage2_branches: _Branches | None = None

    @property
    def branches(self) -> tuple[tuple[int, ...], ...]:
        """The branches of each stage; all three where none are named."""
        stages = (self.stage0_branches, self.stage1_branches, self.stage2_branches)
        return tuple(stage or (0, 1, 2) for stage in stages)


_Tensors = Annotated[tuple[TensorEntry, ...], Field(min_length=1, max_length=1000)]


class _Duration(_Part):
    config: DurationConfig
    tensors: _Tensors


class _Acoustic(_Part):
    config: AcousticConfig
    tensors: _Tensors


class _Decoder(_Part):
    config: DecoderConfig
    tensors: _Tensors


class _Components(_Part):
    duration: _Duration
    acoustic: _Acoustic
    decoder: _Decoder


class _Frontend(_Part):
    included_config: _Name = PHONEMES


class Manifest(_Part):
    """``manifest.json``."""

    format: Literal["roota.raw-fp16.v1"]
    sample_rate: Annotated[int, Field(strict=True, ge=8_000, le=48_000)]
    weights_file: _Name = WEIGHTS
    weights_size_bytes: _Count
    weights_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """None in a package without checksum; that of the download was compared then."""
    frontend: _Frontend = _Frontend()
    components: _Components

    def needed(self) -> dict[str, Mapping[str, Shape]]:
        """Return the tensors that each network needs, by component."""
        parts = self.components
        return required_tensors(parts.duration.config, parts.acoustic.config, parts.decoder.config)

    def entries(self, component: str) -> tuple[TensorEntry, ...]:
        """Return the tensors of a component."""
        part: _Duration | _Acoustic | _Decoder = getattr(self.components, component)
        return part.tensors


@dataclass(frozen=True, slots=True)
class VoiceFolder:
    """A checked voice."""

    folder: Path
    manifest: Manifest
    raw: dict[str, Any]
    """The manifest as sanotts reads it."""
    weights: bytes
    sha256: str
    """SHA-256 of the weights."""
    phonemes: Path
    """File of the phonemes' numbers."""

    @property
    def model(self) -> str:
        """Name of the voice with the beginning of its checksum, for people and cache keys."""
        return f"{self.folder.name} ({self.sha256[:8]})"


def read_voice_folder(folder: Path) -> VoiceFolder:
    """Read a voice, and check it whole. Blocking.

    Raises:
        ModelLoadError: a file is missing or unreadable, or the voice is damaged or of another kind;
            the message names the folder and what is wrong.
    """
    text = _read(folder / MANIFEST, "manifest")
    try:
        raw = parse_json(text)
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or MANIFEST
        raise _damaged(
            folder, Translatable("{where}: {reason}", where=where, reason=reason_of(first))
        ) from error
    except ValueError as error:
        raise _damaged(folder, Translatable("{file} is no JSON", file=MANIFEST)) from error
    for name in (manifest.weights_file, manifest.frontend.included_config):
        if not is_plain(name) or "/" in name:
            raise _damaged(folder, Translatable("{name!r} is no file of the folder", name=name))
    phonemes = folder / manifest.frontend.included_config
    _read(phonemes, "phonemes")
    weights = _read(folder / manifest.weights_file, "weights")
    sha256 = _check_weights(folder, manifest, weights)
    for component, needed in manifest.needed().items():
        _check_tensors(folder, manifest, component, needed)
    return VoiceFolder(folder, manifest, raw, weights, sha256, phonemes)


def _read(path: Path, kind: str) -> bytes:
    most = _MAX_BYTES[kind]
    try:
        check_ordinary(path)
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(content) > most:
        raise _damaged(
            path.parent,
            Translatable("{file} has more than {most} bytes", file=path.name, most=most),
        )
    return content


def _check_weights(folder: Path, manifest: Manifest, weights: bytes) -> str:
    if len(weights) != manifest.weights_size_bytes:
        raise _damaged(
            folder,
            Translatable(
                "{file} has {here} bytes instead of {size}",
                file=manifest.weights_file,
                here=len(weights),
                size=manifest.weights_size_bytes,
            ),
        )
    sha256 = hashlib.sha256(weights).hexdigest()
    if manifest.weights_sha256 not in {None, sha256}:
        raise _damaged(
            folder,
            Translatable(
                "the SHA-256 of {file} is {sha256} instead of {stated}",
                file=manifest.weights_file,
                sha256=sha256,
                stated=manifest.weights_sha256,
            ),
        )
    return sha256


def _check_tensors(
    folder: Path, manifest: Manifest, component: str, needed: Mapping[str, Shape]
) -> None:
    entries = manifest.entries(component)
    shapes = {entry.name: entry.shape for entry in entries}
    for name, where in _outside(manifest, entries):
        raise _damaged(
            folder,
            Translatable(
                "the tensor {name} lies outside of the weights ({where})",
                name=f"{component}.{name}",
                where=where,
            ),
        )
    for name, shape in needed.items():
        found = shapes.get(name)
        if found is None or not shape.fits(found):
            raise _damaged(
                folder,
                Translatable(
                    "the tensor {name} has the shape {found} instead of {shape}",
                    name=f"{component}.{name}",
                    found=found or "-",
                    shape=shape,
                ),
            )


def _outside(manifest: Manifest, entries: tuple[TensorEntry, ...]) -> Iterator[tuple[str, str]]:
    """Yield tensors that are not in the weights; together they are no larger than these."""
    room = manifest.weights_size_bytes
    for each in entries:
        room -= each.nbytes
        wanted = math.prod(each.shape) * _ITEM_BYTES[each.dtype]
        inside = each.offset_bytes + each.nbytes <= manifest.weights_size_bytes
        if each.nbytes != wanted or not inside or room < 0:
            yield each.name, f"{each.offset_bytes}+{each.nbytes}, {each.dtype} {each.shape}"


def _damaged(folder: Path, what: str) -> ModelLoadError:
    return ModelLoadError(
        Translatable("The voice in {folder} is damaged: {what}.", folder=folder, what=what),
        remedy="Delete the folder and download the voice again, or name another.",
    )
