"""Whether a local engine's speech is watermarked."""

from __future__ import annotations

import logging

from vieneu_core.audio.watermark import WATERMARK_REMEDY
from vieneu_core.engines.base import EngineInfo
from vieneu_core.errors import WatermarkUnavailableError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)


def is_marked(request: SynthesisRequest, info: EngineInfo, *, required: bool) -> bool:
    """Return whether the speech is watermarked: requested, and possible.

    Raises:
        WatermarkUnavailableError: it is requested and ``required``, but not possible.
    """
    if not request.watermark or info.watermarks:
        return request.watermark
    reason = Translatable(
        "What the engine {engine} speaks cannot be watermarked here.", engine=info.engine
    )
    if required:
        raise WatermarkUnavailableError(reason, remedy=WATERMARK_REMEDY)
    _LOGGER.warning("%s It is spoken without a watermark.", reason)
    return False
