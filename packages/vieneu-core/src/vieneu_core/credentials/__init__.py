"""The only rules for a server's URL and token.

A parse function raises `PydanticCustomError`, a ``ValueError``, whose text completes "… cannot be
used: ". It never quotes the value: a URL may contain a password, and a token is secret.
"""

from vieneu_core.credentials.auth_token import (
    MAX_TOKEN_CHARS,
    MIN_SERVER_TOKEN_CHARS,
    TOKEN_ERROR,
    AuthToken,
    ServerToken,
    new_auth_token,
    parse_auth_token,
    parse_server_token,
)
from vieneu_core.credentials.endpoint_url import (
    MAX_URL_CHARS,
    URL_ERROR,
    CallbackUrl,
    EndpointUrl,
    host_in_url,
    is_home,
    is_loopback,
    is_public,
    parse_callback_url,
    parse_endpoint_url,
)
from vieneu_core.credentials.wyoming_url import (
    WYOMING_URL_ERROR,
    WyomingAddress,
    WyomingUrl,
    parse_wyoming_url,
    wyoming_address,
)

__all__ = [
    "MAX_TOKEN_CHARS",
    "MAX_URL_CHARS",
    "MIN_SERVER_TOKEN_CHARS",
    "TOKEN_ERROR",
    "URL_ERROR",
    "WYOMING_URL_ERROR",
    "AuthToken",
    "CallbackUrl",
    "EndpointUrl",
    "ServerToken",
    "WyomingAddress",
    "WyomingUrl",
    "host_in_url",
    "is_home",
    "is_loopback",
    "is_public",
    "new_auth_token",
    "parse_auth_token",
    "parse_callback_url",
    "parse_endpoint_url",
    "parse_server_token",
    "parse_wyoming_url",
    "wyoming_address",
]
