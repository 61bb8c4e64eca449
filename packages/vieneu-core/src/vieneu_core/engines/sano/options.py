"""Options of the engine ``sano``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

VIETNAMESE, ENGLISH = "sano-vi", "sano-en"
"""Names in `vieneu_core.models.catalogue`."""
LENGTH_SCALE = 1.45
"""Length of each phoneme against the training's: of 1.16, 1.3 and 1.45 the one that a Vietnamese
speech recogniser understands best."""

_Source = Annotated[str, Field(min_length=1)]


class SanoOptions(BaseModel):
    """Options of the engine. Descriptions complete "Write …"."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    voice: _Source = Field(
        default=VIETNAMESE, description="a known voice, or the path of a folder with one"
    )
    english: _Source | None = Field(
        default=ENGLISH, description="a known voice, or the path of a folder with one"
    )
    """Used where it has been downloaded; None means that there is none."""
    length_scale: float = Field(
        default=LENGTH_SCALE, ge=0.5, le=4, description="a number from 0.5 to 4; larger is slower"
    )
    offline: bool = Field(default=False, description="true or false")
    """Never use the network."""
    cache: Annotated[Path, AfterValidator(Path.expanduser)] | None = Field(
        default=None, description="the path of a folder"
    )
    """Cache in the hub's layout; None means the default folder."""
