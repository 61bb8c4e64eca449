"""Rotation of a server's token by a client that keeps it in a settings file, and loses none."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import aclosing, suppress
from pathlib import Path

from pydantic import SecretStr

from vieneu_core.backends.remote import RemoteBackend, ServerAdmin
from vieneu_core.config.rescued_token import forget_rescued, reserve_rescue, write_rescue
from vieneu_core.config.store import check_savable, save_settings
from vieneu_core.credentials import new_auth_token
from vieneu_core.errors import BackendError, SettingsFileError
from vieneu_core.translatable import Translatable

TOKEN_FIELD = "colab.auth_token"  # noqa: S105 - a name


async def rotate_saved_token(
    path: Path,
    endpoint_url: str,
    token: SecretStr,
    *,
    admin_token: SecretStr | None = None,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Let a server generate a new token, and save it in a settings file in place of the old one.

    The file is really written before the server is asked. The new token is first written where it
    can be recovered, then into the settings file; then it is used once, which ends the right of the
    old one to rotate.

    Args:
        path: The settings file.
        endpoint_url: URL of the server.
        token: The token in the settings.
        admin_token: The server's admin token; None where the one token may do all.
        environ: Environment variables, for the state folder; None means those of this process.

    Raises:
        BackendError: the server refused or failed; the old token is kept.
        SettingsFileError: the file cannot be written; the message says whether the server has
            rotated, and where the new token is then.
    """
    environ = os.environ if environ is None else environ
    rescue = await asyncio.to_thread(_prepared, path, environ)
    try:
        new = await _rotated(endpoint_url, token, admin_token)
        await asyncio.shield(asyncio.to_thread(_save, path, rescue, (token, new), environ))
    except BackendError:
        await asyncio.to_thread(_forget, path, environ)
        raise
    async with aclosing(RemoteBackend(endpoint_url, new)) as backend:
        with suppress(BackendError):  # else the next request does it
            await backend.health()  # used once, no previous token can rotate


async def _rotated(url: str, token: SecretStr, admin_token: SecretStr | None) -> SecretStr:
    async with ServerAdmin(url, admin_token or token) as admin:
        return await admin.rotate_token()


def _prepared(path: Path, environ: Mapping[str, str]) -> Path | None:
    """Prove that the settings file can be written; return where a token could be rescued."""
    save_settings({}, path, environ)  # also moves a token there that was rescued before
    check_savable({TOKEN_FIELD: new_auth_token()}, path, environ)
    return reserve_rescue(path.resolve(), environ)


def _save(
    path: Path, rescue: Path | None, tokens: tuple[SecretStr, SecretStr], environ: Mapping[str, str]
) -> None:
    is_rescued = False
    if rescue is not None:
        with suppress(OSError):
            write_rescue(rescue, *tokens)
            is_rescued = True
    try:
        save_settings({TOKEN_FIELD: tokens[1]}, path, environ)
    except SettingsFileError as error:
        raise _unsaved(error, rescue if is_rescued else None) from error
    _forget(path, environ)


def _forget(path: Path, environ: Mapping[str, str]) -> None:
    forget_rescued(path.resolve(), environ)


def _unsaved(error: SettingsFileError, rescue: Path | None) -> SettingsFileError:
    if rescue is None:
        return SettingsFileError(
            Translatable(
                "The server has a new token, which was not saved. {error}", error=error.detail
            ),
            remedy="Make the file writable, and rotate again within ten minutes: so long the old"
            " token may.",
        )
    return SettingsFileError(
        Translatable(
            "The server has a new token, which was not saved in the settings. {error} It is in"
            " {rescue}.",
            error=error.detail,
            rescue=rescue,
        ),
        remedy="It is used from there, and moved into the settings once they can be written.",
    )
