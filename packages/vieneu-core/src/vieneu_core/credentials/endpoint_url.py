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
    r"""( [^\s/?#@]+@ )?                            # a user name, which is refused
        (?P<host> \[[0-9a-f:.]+\]                  # an IPv6 address
                | [a-z0-9_-]+ (\.[a-z0-9_-]+)* \.? )
        (?P<port> :\d{1,5} )?
        ( [/?#] \S* )?""",
    re.IGNORECASE | re.VERBOSE,
)
"""A host without a scheme, and what may follow one."""
_TUNNEL_NAMES = (
    ".ngrok-free.app",
    ".ngrok-free.dev",
    ".ngrok.app",
    ".ngrok.dev",
    ".ngrok.io",
    ".trycloudflare.com",
)
"""Suffixes of the names that tunnels give: addresses also without a port."""
_SCHEMES = {"file", "ftp", "http", "https", "mailto", "sms", "tel", "ws", "wss"}
"""Schemes, which are no host before a colon and digits."""
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
    bare = _BARE_ADDRESS.fullmatch(text) if len(text) <= MAX_URL_CHARS else None
    if bare is None:
        return text
    host = bare["host"].strip("[]").lower()
    if _address(host) is None and not _is_bare_name(host, has_port=bool(bare["port"])):
        return text
    return f"{'http' if is_home(host) else 'https'}://{text}"


def _is_bare_name(host: str, *, has_port: bool) -> bool:
    """Return whether a name without a scheme is meant as a host, and not as any other word.

    A file (``config.yaml``), a version (``v1.2``) and a time (``12:30``) look like one.
    """
    name = host.rstrip(".")
    if ":" in name or name in _SCHEMES or _NUMBER.fullmatch(name.rpartition(".")[2]):
        return False
    known = name == "localhost" or name.endswith((*_HOME_NAMES, *_TUNNEL_NAMES))
    return has_port or known


def _web_url(text: str) -> URL:
    # Parsed by the library that will connect, so that both see the same host. Imported lazily.
    from yarl import URL

    if len(text) > MAX_URL_CHARS:
        raise invalid(URL_ERROR, "it has more than {n_chars} characters", n_chars=MAX_URL_CHARS)
    if not text.isprintable() or " " in text:
        raise invalid(URL_ERROR, "it contains a space or a control character")
    if "://" not in text:
        raise invalid(URL_ERROR, _without_scheme(text))
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


def _without_scheme(text: str) -> str:
    """Return what is wrong with an address that has no scheme, and needs one."""
    bare = _BARE_ADDRESS.fullmatch(text)
    if bare is None:
        return "it does not begin with https://"
    if "?" in text or "#" in text:
        return "it contains a query (?) or a fragment (#)"
    is_word = bare["port"] is None and not _NUMBER.fullmatch(bare["host"].rpartition(".")[2])
    return "it has neither https:// nor a port" if is_word else "it does not begin with https://"


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


def host_in_url(host: str) -> str:
    """Return a host as it stands in a URL: an IPv6 address in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]" if ":" in host else host


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
