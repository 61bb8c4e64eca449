"""Translation of the core's errors to Home Assistant's exceptions and messages.

Texts of this integration are in ``translations``, one file for each language. Those of the core
are returned by `_texts_of_core`, the only function that uses the core's translations.
"""

from __future__ import annotations

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.translation import async_get_cached_translations

from vieneu_core.errors import RequestError, VieneuError
from vieneu_core.i18n import best_language, error_text, languages
from vieneu_core.i18n import translated as translated_text
from vieneu_core.router import ErrorReport

from .const import DOMAIN

for _language in languages():
    # Read at import, which Home Assistant runs on a thread; the functions run on its event loop.
    error_text(VieneuError.code, "", _language)


def language_of(hass: HomeAssistant) -> str:
    """Return the language of Home Assistant if the core has it, else ``en``."""
    return best_language(hass.config.language)


def reason_of(error: BaseException) -> str:
    """Return what an exception of other code says; the name of its class if it says nothing."""
    return str(error).strip() or type(error).__name__


def message(hass: HomeAssistant, category: str, path: str, default: str) -> str:
    """Return a text of ``translations`` in the language of Home Assistant.

    Args:
        hass: Home Assistant, which has loaded the texts with the integration.
        category: Top-level key of the file, such as ``exceptions``.
        path: Keys below it, joined by dots.
        default: Result if there is no such text.
    """
    texts = async_get_cached_translations(hass, hass.config.language, category, DOMAIN)
    return texts.get(f"component.{DOMAIN}.{category}.{path}", default)


def translated_error(hass: HomeAssistant, error: VieneuError | ErrorReport) -> dict[str, str]:
    """Return the failure (``detail``) and its ``remedy`` as placeholders of messages.

    A remedy of this integration takes precedence, because those of the core may name a command.
    """
    detail, remedy = _texts_of_core(error, language_of(hass))
    remedy = message(hass, "exceptions", f"remedy_{error.code}.message", remedy)
    return {"detail": detail, "remedy": remedy}


def short_error(hass: HomeAssistant, error: VieneuError | ErrorReport) -> str:
    """Return a failure in a few words, without its values: the title of its class."""
    texts = error_text(error.code, error.remedy, language_of(hass))
    return error.title if texts is None else texts.title


def translated_detail(hass: HomeAssistant, error: VieneuError | ErrorReport) -> str:
    """Return what failed exactly, in English where there is no translation."""
    return str(translated_text(error.detail, language_of(hass)))


def _texts_of_core(error: VieneuError | ErrorReport, language: str) -> tuple[str, str]:
    """Return detail and remedy in a language; instead of an untranslated detail its title.

    The detail itself is in the log, in the diagnostics and in the attributes of *Last error*.
    """
    texts = error_text(error.code, error.remedy, language)
    if texts is None:
        return error.detail.strip() or f"{error.title}.", error.remedy
    title, remedy = texts
    detail = translated_text(error.detail, language)
    return f"{title}." if detail is error.detail or not detail.strip() else detail, remedy


def translated(hass: HomeAssistant, error: VieneuError, key: str) -> HomeAssistantError:
    """Return the exception to raise for an error of the core.

    Args:
        hass: Home Assistant, for its language.
        error: The error.
        key: Key of the message in the translations, with placeholders ``detail`` and ``remedy``.
    """
    kind = ServiceValidationError if isinstance(error, RequestError) else HomeAssistantError
    return kind(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=translated_error(hass, error),
    )
