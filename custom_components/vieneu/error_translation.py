"""Failures of the core in Home Assistant's own terms: in the house's language, with what to do."""

from __future__ import annotations

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from vieneu_core.errors import RequestError, VieneuError
from vieneu_core.i18n import error_text
from vieneu_core.router import ErrorReport

from .const import DOMAIN

_REMEDIES = {
    "not_configured": (
        "Add it on the integration's page: Reconfigure.",
        "Hãy thêm ở trang của bộ tích hợp: Cấu hình lại.",
    ),
    "missing_extra": (
        "Reload the integration: Home Assistant then installs what is missing.",
        "Hãy tải lại bộ tích hợp: Home Assistant sẽ cài những gì còn thiếu.",
    ),
    "model_load": (
        "Look at the log, and at the engine's choice: Reconfigure, on the integration's page.",
        "Xem nhật ký, và bộ máy đã chọn: Cấu hình lại, ở trang của bộ tích hợp.",
    ),
    "all_backends_failed": (
        "The sensors of the device tell the state of each.",
        "Các cảm biến của thiết bị cho biết trạng thái của từng nơi.",
    ),
}
"""By code, in place of what the core says to those who type commands: in English, in Vietnamese."""


def language_of(hass: HomeAssistant) -> str:
    """Return the language of the house, ``vi`` or ``en``."""
    return "vi" if hass.config.language.partition("-")[0] == "vi" else "en"


def translated_error(error: VieneuError | ErrorReport, language: str) -> dict[str, str]:
    """Return what failed (``detail``) and what to do (``remedy``), for messages."""
    here = _REMEDIES.get(error.code)
    words = error_text(error.code, error.remedy, language)
    if words is None:
        return {"detail": error.detail, "remedy": here[0] if here else error.remedy}
    title, remedy = words
    detail = f"{title} ({error.detail.removesuffix('.')})."
    return {"detail": detail, "remedy": here[1] if here else remedy}


def translated(hass: HomeAssistant, error: VieneuError, key: str) -> HomeAssistantError:
    """Return what to raise in place of an error.

    Args:
        hass: Tells the language.
        error: What failed.
        key: Of the message in the translations; it is given ``detail`` and ``remedy``.
    """
    kind = ServiceValidationError if isinstance(error, RequestError) else HomeAssistantError
    return kind(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=translated_error(error, language_of(hass)),
    )
