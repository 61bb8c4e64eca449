"""The only rules for the URLs of a server and of a webhook."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from vieneu_core.validation import invalid

if TYPE_CHECKING:
    from yarl import URL

MAX_URL_CHARS = 2_000
URL_ERROR = "endpoint_url"
"""Type of the errors raised here; their text may be shown as it is."""

_HOME_NAMES = (".local", ".lan", ".internal", ".home.arpa", ".localhost")
"""Suffixes of names that exist only in a home network (RFC 6762, RFC 8375, ICANN)."""
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
_BARE_ADDRESS = re.compile(
    r"""( \[[0-9a-f:.]+\] (:\d{1,5})?        # an IPv6 address
        | [a-z0-9_-]+ (\.[a-z0-9_-]+)+ \.? (:\d{1,5})?  # an IPv4 address, a name with dots
        | [a-z0-9_-]+ :\d{1,5} )              # a name in the home network, with its port
        (/[^\s?#@]*)?""",
    re.IGNORECASE | re.VERBOSE,
)
"""A host without a scheme: with a port, or with what no other word has."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses behind a translator (RFC 6052)."""
_MAX_HOST_CHARS = 253
"""Longest name in DNS."""


def parse_endpoint_url(value: str) -> str:
    """Return a server's URL without surrounding white space and without a trailing slash.

    An empty one stays empty: there is no server. An address without a scheme, such as
    ``192.168.1.20:8000``, gets one: http in the home network, https elsewhere.

    Raises:
        PydanticCustomError: it is not an http(s) URL of a host, contains a user name, password,
            query or fragment, or would send the token over the internet unencrypted.
    """
    text = value.strip()
    if not text:
        return ""
    text = _with_scheme(text)
    url = _web_url(text)
    if "@" in urlsplit(text).netloc:
        raise invalid(URL_ERROR, "it contains a user name or a password")
    if "?" in text or "#" in text:
        raise invalid(URL_ERROR, "it contains a query (?) or a fragment (#)")
    if url.scheme == "http" and not is_home(url.host or ""):
        raise invalid(URL_ERROR, "the token would cross the internet in clear; write https://")
    return text.rstrip("/")


def parse_callback_url(value: SecretStr) -> SecretStr:
    """Return the URL of a webhook, which is secret as a whole, without surrounding white space.

    Raises:
        PydanticCustomError: it is not an http(s) URL of a host.
    """
    text = value.get_secret_value().strip()
    _web_url(text)
    return SecretStr(text)


EndpointUrl = Annotated[str, AfterValidator(parse_endpoint_url)]
CallbackUrl = Annotated[SecretStr, AfterValidator(parse_callback_url)]


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    address = _address(host)
    return address.is_loopback if address is not None else host.lower() == "localhost"


def _with_scheme(text: str) -> str:
    """Return a URL for an address that is clearly meant as one; any other text as it is."""
    if len(text) > MAX_URL_CHARS or not _BARE_ADDRESS.fullmatch(text):
        return text
    try:
        host = urlsplit(f"//{text}").hostname or ""
    except ValueError:  # brackets around no address
        return text
    return f"{'http' if is_home(host) else 'https'}://{text}"


def _web_url(text: str) -> URL:
    # Parsed by the library that will connect, so that both see the same host. Imported lazily.
    from yarl import URL

    if len(text) > MAX_URL_CHARS:
        raise invalid(URL_ERROR, "it has more than {n_chars} characters", n_chars=MAX_URL_CHARS)
    if not text.isprintable() or " " in text:
        raise invalid(URL_ERROR, "it contains a space or a control character")
    if "://" not in text:
        raise invalid(URL_ERROR, "it does not begin with https://")
    try:
        url = URL(text)
        port = url.port  # raises if it is no number
    except ValueError:
        raise invalid(URL_ERROR, "it cannot be read as a URL") from None  # the cause quotes the URL
    if url.scheme not in {"http", "https"}:
        raise invalid(URL_ERROR, "it begins with neither https:// nor http://")
    if not is_host(url.raw_host or "") or port == 0:
        raise invalid(URL_ERROR, "its host name cannot exist")
    return url


def is_host(host: str) -> bool:
    """Return whether a host is an address, or a name that can exist."""
    if _address(host) is not None:
        return True
    return len(host) <= _MAX_HOST_CHARS and all(map(_LABEL.fullmatch, host.split(".")))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_home(host: str) -> bool:
    """Return whether a host can only be in a home network, or is this machine."""
    address = _address(host)
    if address is not None:
        # Not global: loopback, private, link-local, and the shared range of VPNs (100.64/10).
        return not address.is_global
    name = host.lower().rstrip(".")
    return "." not in name or name.endswith(_HOME_NAMES)


def is_public(host: str) -> bool:
    """Return whether a host can be on the internet: a global address, or a full domain name.

    A name is not resolved. One that ends in a number is none: resolvers read ``127.1`` and
    ``0x7f.1`` as addresses.
    """
    host = host.partition("%")[0].rstrip(".")
    address = _address(host)
    if address is not None:
        return all(map(_is_global, (address, *_embedded(address))))
    return not is_home(host) and not _NUMBER.fullmatch(host.rpartition(".")[2])


def _is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _embedded(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> tuple[ipaddress.IPv4Address, ...]:
    """Return the IPv4 addresses to which an IPv6 address leads (6to4, Teredo, NAT64)."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    found = [] if address.sixtofour is None else [address.sixtofour]
    found += address.teredo or ()
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(found)
