"""The only rules for the URL of a Wyoming server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from vieneu_core.credentials.endpoint_url import MAX_URL_CHARS, host_in_url, is_home, is_host
from vieneu_core.validation import invalid

WYOMING_URL_ERROR = "wyoming_url"
"""Type of the errors raised here; their text may be shown as it is."""


@dataclass(frozen=True, slots=True)
class WyomingAddress:
    """Host and port of a Wyoming server."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{host_in_url(self.host)}:{self.port}"


def wyoming_address(value: str) -> WyomingAddress:
    """Return host and port of a Wyoming server's URL.

    Raises:
        PydanticCustomError: it is not ``tcp://HOST:PORT`` of a host in the home network. The
            protocol has no encryption: the text to be spoken would cross the internet in clear.
    """
    text = value.strip()
    if len(text) > MAX_URL_CHARS:
        raise invalid(
            WYOMING_URL_ERROR, "it has more than {n_chars} characters", n_chars=MAX_URL_CHARS
        )
    if not text.isprintable() or " " in text:
        raise invalid(WYOMING_URL_ERROR, "it contains a space or a control character")
    if not text.startswith("tcp://"):
        raise invalid(WYOMING_URL_ERROR, "it does not begin with tcp://")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise invalid(
            WYOMING_URL_ERROR, "it cannot be read as a URL"
        ) from None  # the cause quotes the URL
    if "@" in parts.netloc:
        raise invalid(WYOMING_URL_ERROR, "it contains a user name or a password")
    if parts.path.strip("/") or "?" in text or "#" in text:
        raise invalid(WYOMING_URL_ERROR, "it contains more than a host and a port")
    if not host or not is_host(host) or port == 0:
        raise invalid(WYOMING_URL_ERROR, "its host name cannot exist")
    if port is None:
        raise invalid(WYOMING_URL_ERROR, "it names no port; that of the Piper app is 10200")
    if not is_home(host):
        raise invalid(
            WYOMING_URL_ERROR, "the text would cross the internet in clear; use a server at home"
        )
    return WyomingAddress(host, port)


def parse_wyoming_url(value: str) -> str:
    """Return a Wyoming server's URL without surrounding white space and without a slash at its end.

    An empty one stays empty: there is no server.

    Raises:
        PydanticCustomError: as `wyoming_address`.
    """
    return f"tcp://{wyoming_address(value)}" if value.strip() else ""


WyomingUrl = Annotated[str, AfterValidator(parse_wyoming_url)]
