"""User of the app: Supervisor starts a container as root, which the relay does not need to be."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable

DISK_REMEDY = "Free space or repair the disk, then start the app again."
_USER_REMEDY = (
    "Start the container as root, with the name of one of its users in VIENEU_APP_USER;"
    " or leave that empty."
)


def own_folder(folder: Path, user: str) -> None:
    """Make a private folder that belongs to a user, with all that is in it. Blocking.

    Args:
        folder: The folder.
        user: Name of the user; empty means the one of this process.

    Raises:
        ConfigurationError: it cannot be made or given away, or there is no such user.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if user:
            owner = pwd.getpwnam(user)
            for path in (folder, *folder.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
    except (OSError, KeyError) as error:
        of_disk = isinstance(error, OSError)
        reason = error.strerror if isinstance(error, OSError) else "there is no such user"
        raise ConfigurationError(
            Translatable(
                "The folder {folder} cannot be given to the user {user!r}: {reason}.",
                folder=folder,
                user=user,
                reason=reason,
            ),
            remedy=DISK_REMEDY if of_disk else _USER_REMEDY,
        ) from error


def become(user: str) -> None:
    """Go on as a user without rights, for good.

    Raises:
        ConfigurationError: this process is not root's, or there is no such user.
    """
    try:
        wanted = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(wanted.pw_gid)
        os.setuid(wanted.pw_uid)
    except (OSError, KeyError) as error:
        raise ConfigurationError(
            Translatable("The app cannot run as the user {user!r}.", user=user),
            remedy=_USER_REMEDY,
        ) from error
