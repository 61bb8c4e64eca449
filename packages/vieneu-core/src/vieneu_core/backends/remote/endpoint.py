"""Where the server is and how we show who we are. Checked once, before anything is sent."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from pydantic import SecretStr
from yarl import URL

from vieneu_core.arguments import refuse
from vieneu_core.errors import ConfigurationError
from vieneu_core.wire import routes

_PAGES = (
    *(routes.STREAM, routes.SYNTHESIZE, routes.HEALTH, routes.VOICES, routes.LIVEZ, routes.READYZ),
    *("/docs", "/redoc", "/openapi.json"),
)
"""What people paste together with the URL of the server, because they had it in the browser."""
_HOME_NAMES = (".local", ".lan", ".internal", ".home.arpa", ".localhost")
"""Endings of names that are only known inside a home network (RFC 6762, RFC 8375, ICANN)."""
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_MAX_URL_CHARS = 2_000
_MAX_TOKEN_CHARS = 4_096
_URL_REMEDY = "Give the URL that the server shows, for example https://abc.ngrok-free.app"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A checked server URL and token. Only ``host`` may reach a log or a message."""

    base: URL = field(repr=False)
    """Scheme, host, port and path prefix, without a slash at its end."""
    token: SecretStr = field(repr=False)
    host: str
    """Host name, and the port where it is not the usual one."""

    @classmethod
    def of(cls, url: str, token: SecretStr | str) -> Endpoint:
        """Check what the settings hold.

        Raises:
            ConfigurationError: the URL or the token cannot be used; the message says why, and
                shows neither of them.
        """
        if not isinstance(url, str):
            raise refuse("endpoint_url", url, "a string", secret=True)
        if not isinstance(token, str | SecretStr):
            raise refuse("auth_token", token, "a string or a SecretStr", secret=True)
        base = _parse_url(url)
        host = base.host or ""
        port = "" if base.is_default_port() else f":{base.port}"
        shown = f"[{host}]" if ":" in host else host
        return cls(base=base, token=_check_token(token), host=shown + port)

    def url(self, path: str) -> URL:
        """Return the URL of one of the paths in `vieneu_core.wire.routes`."""
        return self.base.with_path(self.base.path.rstrip("/") + path)


def _parse_url(text: str) -> URL:
    text = text.strip()
    if not text:
        raise ConfigurationError("The server's URL is empty.", remedy=_URL_REMEDY)
    if len(text) > _MAX_URL_CHARS or not text.isprintable() or " " in text:
        raise ConfigurationError(
            "The server's URL is too long, or holds a space or control character.",
            remedy=_URL_REMEDY,
        )
    if "://" not in text:
        raise ConfigurationError(
            "The server's URL does not begin with https://.", remedy=_URL_REMEDY
        )
    try:
        url = URL(text)
        # Reading the port is what finds one that is no number.
        return _trimmed(url, url.port)
    except ValueError as err:
        # Not "from err": its message quotes the URL, which may hold a password.
        detail = "The server's URL cannot be read."
        if isinstance(err, _UrlError):
            detail = str(err)
        raise ConfigurationError(detail, remedy=_URL_REMEDY) from None


class _UrlError(ValueError):
    """Our own words on what is wrong with a URL."""


def _trimmed(url: URL, port: int | None) -> URL:
    if url.scheme not in {"http", "https"}:
        raise _UrlError("The server's URL begins with neither https:// nor http://.")
    if url.user is not None or url.password is not None:
        raise _UrlError("The server's URL holds a user name or password; give the token apart.")
    if url.raw_query_string or url.raw_fragment:
        raise _UrlError("The server's URL holds a query (?) or a fragment (#); leave them out.")
    host = url.host or ""
    if not _is_host(url.raw_host or "") or port == 0:
        raise _UrlError("The server's URL has no host name that could exist.")
    if url.scheme == "http" and not _is_home(host):
        raise _UrlError(
            f"http:// to {host} would send the token in clear over the internet; use https://."
        )
    path = url.path.rstrip("/")
    page = next((p for p in _PAGES if path.endswith(p)), "")
    return url.with_path(path.removesuffix(page) or "/")


def _is_host(host: str) -> bool:
    if _address(host) is not None:
        return True
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.split("."))  # noqa: PLR2004 - the longest name in DNS


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    address = _address(host)
    return address.is_loopback if address is not None else host.lower() == "localhost"


def _is_home(host: str) -> bool:
    address = _address(host)
    if address is not None:
        # Not global: loopback, private, link-local, and the shared range of VPNs (100.64/10).
        return not address.is_global
    name = host.lower().rstrip(".")
    return "." not in name or name.endswith(_HOME_NAMES)


def _check_token(token: SecretStr | str) -> SecretStr:
    secret = token if isinstance(token, SecretStr) else SecretStr(token)
    value = secret.get_secret_value()
    remedy = "Copy the token that the server shows, without anything around it."
    if not value:
        raise ConfigurationError("The server's token is empty.", remedy=remedy)
    usable = value.isascii() and value.isprintable() and " " not in value
    if not usable or len(value) > _MAX_TOKEN_CHARS:
        raise ConfigurationError(
            "The server's token holds a character that no token has (a space, a line end, a letter "
            "outside ASCII), or is too long.",
            remedy=remedy,
        )
    return secret
