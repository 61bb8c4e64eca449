"""URLs of requests to a server, and its token; both are checked once before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import SecretStr
from yarl import URL

from vieneu_core.arguments import refuse
from vieneu_core.credentials import host_in_url, parse_auth_token, parse_endpoint_url
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of
from vieneu_core.wire import routes

_PAGES = (
    *routes.PATHS,
    *("/docs", "/redoc", "/openapi.json"),
)
"""Paths that users paste together with the server's URL, copied from a browser."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A checked server URL and token. Only ``host`` may reach a log or a message."""

    base: URL = field(repr=False)
    """Scheme, host, port and path prefix, without a trailing slash."""
    token: SecretStr = field(repr=False)
    host: str
    """Host name, and the port unless it is the default one."""

    @classmethod
    def of(cls, url: str, token: SecretStr | str) -> Endpoint:
        """Check URL and token of the settings.

        Raises:
            ConfigurationError: the URL or the token is invalid; the message gives the reason and
                contains neither of them.
        """
        if not isinstance(url, str):
            raise refuse("endpoint_url", url, "a string", secret=True)
        if not isinstance(token, str | SecretStr):
            raise refuse("auth_token", token, "a string or a SecretStr", secret=True)
        base = _base_of(url)
        host = base.host or ""
        port = "" if base.is_default_port() else f":{base.port}"
        return cls(base=base, token=_token_of(token), host=host_in_url(host) + port)

    def url(self, path: str) -> URL:
        """Return the URL of one of the paths in `vieneu_core.wire.routes`."""
        return self.base.with_path(self.base.path.rstrip("/") + path)


def _base_of(text: str) -> URL:
    try:
        checked = parse_endpoint_url(text)
    except ValueError as error:
        raise _unusable_url(reason_of(error)) from None
    if not checked:
        raise _unusable_url("it is empty")
    url = URL(checked)
    page = next((p for p in _PAGES if url.path.endswith(p)), "")
    return url.with_path(url.path.removesuffix(page).rstrip("/") or "/")


def _unusable_url(reason: str) -> ConfigurationError:
    return ConfigurationError(
        Translatable("The server's URL cannot be used: {reason}.", reason=reason),
        remedy="Give the URL that the server shows, for example https://abc.ngrok-free.app",
    )


def _token_of(given: SecretStr | str) -> SecretStr:
    reason = "it is empty"
    try:
        token = parse_auth_token(given if isinstance(given, SecretStr) else SecretStr(given))
        if token.get_secret_value():
            return token
    except ValueError as error:
        reason = reason_of(error)
    raise ConfigurationError(
        Translatable("The server's token cannot be used: {reason}.", reason=reason),
        remedy="Copy the token that the server shows, without anything around it.",
    )
