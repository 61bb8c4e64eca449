"""Options of the engine ``sdk``, and the SDK's modes that accept each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vieneu_core.engines.registry import SDK
from vieneu_core.engines.speech_lm.options import parse_options
from vieneu_core.errors import ModelLoadError
from vieneu_core.translatable import Translatable

_SOURCE = "OWNER/REPOSITORY, or an absolute path"
_Source = Annotated[str, Field(min_length=1)]


class SdkMode(StrEnum):
    """Modes of the SDK."""

    V3_TURBO = "v3turbo"
    """48 kHz; ONNX on a CPU, PyTorch on a GPU."""
    V3_NANO = "v3nano"
    """24 kHz, for weak CPUs."""
    STANDARD = "standard"
    FAST = "fast"
    """LMDeploy, on a GPU."""
    TURBO = "turbo"

    @property
    def is_v3(self) -> bool:
        """Whether a voice is a speaker embedding and the codes of a clip without transcript."""
        return self in (SdkMode.V3_TURBO, SdkMode.V3_NANO)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """Names of our options in a mode, as constructor arguments or per sentence."""

    making: Mapping[str, str]
    speaking: Mapping[str, str]
    also: frozenset[str] = field(default_factory=frozenset)
    """Options that are passed in a special way."""


_TALK: Mapping[str, str] = MappingProxyType({"temperature": "temperature", "top_k": "top_k"})
_TERMS = {
    SdkMode.V3_TURBO: _Terms(
        making={"threads": "threads"},
        speaking={**_TALK, "top_p": "top_p", "repetition_penalty": "repetition_penalty"},
        also=frozenset({"model", "codec", "device", "precision", "denoise", "seed"}),
    ),
    SdkMode.V3_NANO: _Terms(
        making={"threads": "threads"},
        speaking={"steps": "steps", "guidance": "cfg"},
        also=frozenset({"model", "denoise", "seed"}),
    ),
    SdkMode.STANDARD: _Terms(
        making={"codec": "codec_repo"}, speaking=_TALK, also=frozenset({"model", "device"})
    ),
    SdkMode.FAST: _Terms(
        making={"model": "backbone_repo", "codec": "codec_repo", "gpu_share": "memory_util"},
        speaking=_TALK,
    ),
    SdkMode.TURBO: _Terms(
        making={"model": "backbone_repo", "threads": "n_threads", "seed": "seed"},
        speaking=_TALK,
        also=frozenset({"codec", "device"}),
    ),
}
_FOR_ALL = frozenset({"mode", "voice", "offline", "cache"})


class SdkOptions(BaseModel):
    """Options of the engine. None means the SDK's default. Descriptions complete "Write …"."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mode: SdkMode = Field(
        default=SdkMode.V3_TURBO, description="v3turbo, v3nano, standard, fast or turbo"
    )
    model: _Source | None = Field(default=None, description=_SOURCE)
    codec: _Source | None = Field(default=None, description=_SOURCE)
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto, cpu or cuda")
    precision: Literal["fp32", "int8", "fp16", "bf16"] | None = Field(
        default=None, description="fp32 or int8 on a CPU; fp32, fp16 or bf16 on a GPU"
    )
    threads: int | None = Field(default=None, ge=1, le=1024, description="a number from 1 to 1024")
    voice: str | None = Field(default=None, description="the name of a voice, or an alias of one")
    """Voice for requests that name none."""
    denoise: bool = Field(default=True, description="true or false")
    """Whether to denoise a clip before cloning its voice, as in the models' training."""
    temperature: float | None = Field(default=None, ge=0, le=5, description="a number from 0 to 5")
    top_k: int | None = Field(default=None, ge=1, le=1000, description="a number from 1 to 1000")
    top_p: float | None = Field(default=None, gt=0, le=1, description="a number up to 1")
    repetition_penalty: float | None = Field(
        default=None, ge=1, le=5, description="a number from 1 to 5"
    )
    steps: int | None = Field(default=None, ge=1, le=128, description="a number from 1 to 128")
    """Steps of the flow model; half of them take half the time."""
    guidance: float | None = Field(default=None, ge=0, le=10, description="a number from 0 to 10")
    gpu_share: float | None = Field(
        default=None, gt=0, le=1, description="a number up to 1, the share of the GPU's memory"
    )
    seed: int | None = Field(default=None, ge=0, lt=1 << 32, description="a number below 2^32")
    """A sentence sounds the same each time."""
    offline: bool = Field(default=False, description="true or false")
    cache: Annotated[Path, AfterValidator(Path.expanduser)] | None = Field(
        default=None, description="the path of a folder"
    )
    """Cache in the hub's layout; None means the default folder."""

    def making(self) -> dict[str, object]:
        """Return arguments for the SDK's constructor."""
        return self._sdk_arguments(_TERMS[self.mode].making)

    def speaking(self) -> dict[str, object]:
        """Return arguments for each sentence."""
        return self._sdk_arguments(_TERMS[self.mode].speaking)

    def _sdk_arguments(self, terms: Mapping[str, str]) -> dict[str, object]:
        values = {theirs: getattr(self, ours) for ours, theirs in terms.items()}
        return {name: value for name, value in values.items() if value is not None}


def parse_sdk_options(options: Mapping[str, object]) -> SdkOptions:
    """Check the options, because the SDK ignores unknown ones.

    Raises:
        ModelLoadError: an option is invalid or does not exist in the mode; the message contains
            the remedy.
    """
    parsed = parse_options(SdkOptions, SDK, options)
    terms = _TERMS[parsed.mode]
    known = {*_FOR_ALL, *terms.making, *terms.speaking, *terms.also}
    strange = [name for name in options if name not in known]
    if strange:
        raise ModelLoadError(
            Translatable(
                "The SDK's mode {mode} has no option {strange} (engine {name}).",
                strange=strange[0],
                name=SDK,
                mode=parsed.mode,
            ),
            remedy=Translatable("This mode takes: {known}.", known=", ".join(sorted(known))),
        )
    return parsed
