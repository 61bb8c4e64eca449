"""Tokens of a server by its settings: the rotated one, the admin's, and further ones for speech."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from vieneu_colab_server.settings import ServerSettings
from vieneu_colab_server.tokens.file import read_token_file, write_token_file
from vieneu_colab_server.tokens.rotation import OtherTokens, TokenRotation, only
from vieneu_core.clock import Clock
from vieneu_core.credentials import parse_server_token
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of

MOST_SPEECH_TOKENS = 64


def made_tokens(
    settings: ServerSettings, clock: Clock, *, is_admin: Callable[[bytes], bool] | None = None
) -> TokenRotation:
    """Return the tokens of a server. Blocking: reads their files.

    Raises:
        ConfigurationError: a token in a file cannot be used.
    """
    path = settings.token_file
    keep = None if path is None else functools.partial(write_token_file, path)
    admin = settings.admin_token
    if settings.admin_token_file is not None:
        admin = _parsed(read_token_file(settings.admin_token_file), settings.admin_token_file)
    if admin is not None:
        if admin == settings.token:
            raise ConfigurationError(
                "The admin token and the token for speech are the same.",
                remedy="Choose another admin token, or none: then the one token may do all.",
            )
        is_admin = only(admin)
    others = OtherTokens(is_admin=is_admin, speech=_speech_tokens(settings.speech_tokens_file))
    return TokenRotation(settings.token, clock, keep=keep, others=others)


def _speech_tokens(path: Path | None) -> tuple[SecretStr, ...]:
    """Read the further tokens for speech: one on each line; ``#`` begins a comment."""
    if path is None:
        return ()
    lines = (line.partition("#")[0].strip() for line in read_token_file(path).splitlines())
    tokens = tuple(_parsed(line, path) for line in lines if line)
    if len(tokens) > MOST_SPEECH_TOKENS:
        raise ConfigurationError(
            Translatable("{path} has more than {most} tokens.", path=path, most=MOST_SPEECH_TOKENS),
            remedy="Remove those that nobody uses.",
        )
    return tokens


def _parsed(text: str, path: Path) -> SecretStr:
    try:
        return parse_server_token(SecretStr(text))
    except ValueError as error:
        raise ConfigurationError(
            Translatable(
                "A token in {path} cannot be used: {reason}.", path=path, reason=reason_of(error)
            ),
            remedy="Replace it by a random one of at least 16 characters.",
        ) from None
