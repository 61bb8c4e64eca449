"""Version of the protocol, and its comparison by each side.

A version is ``MAJOR.MINOR``. Versions with the same major are compatible. A server whose major is
smaller is too old for this client, one whose major is larger is too new; both errors have a remedy.
"""

from __future__ import annotations

import re

from vieneu_core.errors import (
    NotVieneuServerError,
    ServerTooNewError,
    ServerTooOldError,
    WireVersionError,
)
from vieneu_core.translatable import Translatable

WIRE_VERSION = "1.0"


def is_older(theirs: str | None, *, own: str) -> bool:
    """Return whether the other side's package (``0.3.1``, say) is an earlier release than ours.

    An invalid version does not count as older.
    """
    other, ours = _release(theirs or ""), _release(own)
    return bool(other) and other < ours


def _release(version: str) -> tuple[int, ...]:
    head = re.match(r"\d{1,6}(?:\.\d{1,6}){0,3}", version)
    return tuple(map(int, head[0].split("."))) if head is not None else ()


def _major(version: str) -> int | None:
    head = version.split(".", 1)[0]
    return int(head) if head.isascii() and head.isdigit() else None


def check_server(server_version: str | None, *, own: str = WIRE_VERSION) -> None:
    """Compare a server's wire version with the client's own.

    Raises:
        NotVieneuServerError: the server sent no version, or an invalid one.
        ServerTooOldError, ServerTooNewError: their majors differ.
    """
    theirs, ours = _major(server_version or ""), _major(own)
    if theirs is None or ours is None:
        raise NotVieneuServerError("The answer does not come from a VieNeu server.")
    if theirs < ours:
        raise ServerTooOldError(
            Translatable(
                "The server uses wire version {server_version}, this client needs {own}.",
                server_version=server_version,
                own=own,
            )
        )
    if theirs > ours:
        raise ServerTooNewError(
            Translatable(
                "The server uses wire version {server_version}, this client {own}.",
                server_version=server_version,
                own=own,
            )
        )


def check_client(client_version: str | None, *, own: str = WIRE_VERSION) -> None:
    """Compare a client's wire version with the server's own. A plain HTTP client has none.

    Raises:
        WireVersionError: their majors differ; the remedy names the side to upgrade.
    """
    if client_version is None:
        return
    theirs, ours = _major(client_version), _major(own)
    if theirs != ours:
        older = "vieneu-core" if theirs is None or (ours or 0) > theirs else "vieneu-colab-server"
        raise WireVersionError(
            Translatable(
                "The client uses wire version {client_version!r}, this server {own}.",
                client_version=client_version,
                own=own,
            ),
            remedy=Translatable("Upgrade {older}.", older=older),
        )
