"""The only rule for a server's token, used by all that read or create one."""

from __future__ import annotations

import secrets
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from vieneu_core.validation import invalid

MAX_TOKEN_CHARS = 4_096
MIN_SERVER_TOKEN_CHARS = 16
"""Least length of a server's token: anyone who knows the address may try to guess it."""
TOKEN_ERROR = "auth_token"  # noqa: S105 - a name
"""Type of the errors raised here; their text may be shown as it is."""


def parse_auth_token(value: SecretStr) -> SecretStr:
    """Return a token without surrounding white space. An empty one stays empty.

    Raises:
        PydanticCustomError: it has characters that a header cannot contain.
    """
    token = value.get_secret_value().strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise invalid(TOKEN_ERROR, "it contains a space, a line end or a character outside ASCII")
    if len(token) > MAX_TOKEN_CHARS:
        raise invalid(TOKEN_ERROR, "it has more than {n_chars} characters", n_chars=MAX_TOKEN_CHARS)
    return SecretStr(token)


def parse_server_token(value: SecretStr) -> SecretStr:
    """Return the token of a server about to start, which must be long enough.

    Raises:
        PydanticCustomError: as `parse_auth_token`, or it has fewer characters than
            `MIN_SERVER_TOKEN_CHARS`.
    """
    token = parse_auth_token(value)
    if len(token.get_secret_value()) < MIN_SERVER_TOKEN_CHARS:
        raise invalid(
            TOKEN_ERROR, "it has fewer than {n_chars} characters", n_chars=MIN_SERVER_TOKEN_CHARS
        )
    return token


def new_auth_token() -> SecretStr:
    """Return a new token of 256 random bits, valid in a header."""
    return SecretStr(secrets.token_urlsafe(32))


AuthToken = Annotated[SecretStr, AfterValidator(parse_auth_token)]
ServerToken = Annotated[SecretStr, AfterValidator(parse_server_token)]
