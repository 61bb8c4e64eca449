"""The port of a server: opened, and named where that fails."""

from __future__ import annotations

import errno
import re
import socket

from vieneu_colab_server.settings import ServerSettings
from vieneu_core.credentials import host_in_url
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable

BACKLOG = 128


def open_port(settings: ServerSettings) -> socket.socket:
    """Return a listening socket.

    Raises:
        ConfigurationError: the address is invalid or in use, or this machine does not have it yet.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sends small writes at once (TCP_NODELAY) only if the protocol is named here.
    # Otherwise the first audio of a request waits 40 ms for the acknowledgement of its header.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as err:
        listener.close()
        raise ConfigurationError(
            Translatable(
                "Cannot listen on {host} port {port}: {strerror}.",
                host=settings.host,
                port=settings.port,
                strerror=err.strerror or err,
            ),
            remedy=remedy_of(
                err,
                "Stop the program that uses it, or choose another --port (0 takes a free one).",
            ),
        ) from cause_of(err, settings.host)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host_in_url(host)}:{port}"


def remedy_of(error: OSError, if_taken: str) -> str:
    """Return what to do about an address at which a server cannot listen.

    Args:
        error: What the system says.
        if_taken: What to do if another program uses it.
    """
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return "Name an address that this machine has; with its network it may come later."
    return if_taken


def cause_of(error: OSError, host: str) -> OSError | None:
    """Return the cause to name for an address; None for a mistyped one, which will never be there.

    Args:
        error: What the system says; `exit_codes` asks it whether that may pass.
        host: The address. Without letters it is no name that could be found later.
    """
    mistyped = isinstance(error, socket.gaierror) and not re.search("[a-z]", host, re.IGNORECASE)
    return None if mistyped else error
