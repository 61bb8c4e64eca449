"""Options of the engine ``piper``, as in the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vieneu_core.models.catalogue import DEFAULT_PIPER


class PiperOptions(BaseModel):
    """Options of the engine. None means what the voice states. Descriptions complete "Write …"."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    voice: str = Field(
        default=DEFAULT_PIPER,
        min_length=1,
        description="a known voice, the absolute path of a .onnx file, or REPO:FILE.onnx",
    )
    """Its configuration is the file beside it, with ``.json`` after its name."""
    speaker: Annotated[str, Field(max_length=200)] | int | None = Field(
        default=None, description="the name or the number of one of the voice's speakers"
    )
    """Speaks requests that name no voice, where a voice has several speakers."""
    length_scale: float | None = Field(
        default=None, ge=0.25, le=4, description="a number from 0.25 to 4, larger for slower speech"
    )
    noise_scale: float | None = Field(default=None, ge=0, le=2, description="a number from 0 to 2")
    """Variation of the sound."""
    noise_w_scale: float | None = Field(
        default=None, ge=0, le=2, description="a number from 0 to 2"
    )
    """Variation of the rhythm."""
    threads: int = Field(
        default=0, ge=0, le=1024, description="a number, 0 for what ONNX Runtime finds best"
    )
    offline: bool = Field(default=False, description="true or false")
    """Never use the network."""
    cache: Annotated[Path, AfterValidator(Path.expanduser)] | None = Field(
        default=None, description="the path of a folder"
    )
    """Folder of downloaded voices; None means the default one."""
