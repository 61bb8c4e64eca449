"""From the data of events to requests for speech. Not when they are spoken."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from typing import Any

from vieneu_colab_server.relay.wyoming.events import Incoming
from vieneu_core.errors import InvalidRequestError, VoiceNotFoundError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.translatable import Translatable

MAX_NAME_CHARS = 256
"""Longest name of a voice, a speaker or a language."""


def check_whole(event: Incoming) -> None:
    """Make sure that no data of an event was dropped.

    Raises:
        InvalidRequestError: it was too long.
    """
    if event.too_long:
        raise InvalidRequestError("The data of an event is too long.")


def text_of(data: Mapping[str, Any]) -> str:
    """Return the text of an event.

    Raises:
        InvalidRequestError: there is none, or it cannot be written as UTF-8.
    """
    return _string("text", data.get("text"))


def request_of(
    text: str | AsyncIterable[str], data: Mapping[str, Any], *, language: str = "vi"
) -> SynthesisRequest:
    """Return the request for a text, with the voice that the data of its event names.

    Args:
        text: What shall be said.
        data: Of the event that begins the request.
        language: Where the event names none.

    Raises:
        InvalidRequestError: a field is of the wrong type or has a value that is not served.
        VoiceNotFoundError: it asks for one speaker of a voice; voices here have none.
    """
    _check_format(data.get("text_format"))
    voice = data.get("voice") or {}
    if not isinstance(voice, dict):
        raise InvalidRequestError("The voice of a request is not an object.")
    name, tag = _name(voice, "name"), _name(voice, "language")
    speaker = _name(voice, "speaker")
    if speaker is not None:
        raise VoiceNotFoundError(
            Translatable("There is no speaker {speaker!r}.", speaker=speaker),
            remedy="Choose a voice by its name alone: voices have no speakers here.",
        )
    if tag is not None and name is None:  # in this protocol a name goes before a language
        language = tag.replace("_", "-")  # other services write "vi_VN", as a locale
    return SynthesisRequest(text=text, voice=name, language=language)


def _check_format(text_format: object) -> None:
    if text_format is not None and text_format != "text":
        raise InvalidRequestError(
            "Only plain text is spoken here, and no other format.", remedy="Send text without SSML."
        )


def _name(voice: Mapping[str, Any], field: str) -> str | None:
    if voice.get(field) is None:
        return None
    name = _string(field, voice[field])
    if len(name) > MAX_NAME_CHARS:
        raise InvalidRequestError(
            Translatable(
                "{field} has more than {max_chars} characters.",
                field=field,
                max_chars=MAX_NAME_CHARS,
            )
        )
    return name


def _string(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidRequestError(Translatable("{field} is not a text.", field=field))
    try:
        value.encode()
    except UnicodeEncodeError:  # JSON can hold halves of characters
        raise InvalidRequestError(
            Translatable("{field} holds half of a surrogate pair.", field=field)
        ) from None
    return value
