"""Failures of the core in Home Assistant's own terms: translated, and with what to do."""

from __future__ import annotations

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from vieneu_core.errors import RequestError, VieneuError

from .const import DOMAIN


def translated(error: VieneuError, key: str) -> HomeAssistantError:
    """Return what to raise in place of an error.

    Args:
        error: What failed.
        key: Of the message in the translations; it is given ``detail`` and ``remedy``.
    """
    kind = ServiceValidationError if isinstance(error, RequestError) else HomeAssistantError
    return kind(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"detail": error.detail, "remedy": error.remedy},
    )
