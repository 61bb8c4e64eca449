"""Addresses of a Wyoming server: ``tcp://HOST:PORT`` and ``unix:///PATH``, and their sockets."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vieneu_colab_server.listening_port import cause_of, remedy_of
from vieneu_core.credentials import host_in_url
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable

DEFAULT_ADDRESS = "tcp://127.0.0.1:10200"
"""The protocol has no authentication: by itself it serves this machine only."""
_REMEDY = "Write tcp://127.0.0.1:10200 (tcp://0.0.0.0:10200 for the whole network) or unix:///PATH."
BACKLOG = 64


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A TCP port; 0 takes any free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A Unix domain socket."""

    path: Path


Address = TcpAddress | UnixAddress


def parse_address(uri: str) -> Address:
    """Return the address that a URI names.

    Raises:
        ConfigurationError: it is none at which this server can listen.
    """
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _invalid(uri) from None
    extra = parts.username or parts.password or parts.query or parts.fragment
    if (
        parts.scheme == "tcp"
        and host
        and port is not None
        and not extra
        and parts.path in {"", "/"}
    ):
        return TcpAddress(host, port)
    is_path = parts.path.startswith("/") and len(parts.path) > 1 and "\0" not in parts.path
    if parts.scheme == "unix" and is_path and not parts.netloc and not extra:
        return UnixAddress(Path(parts.path))
    raise _invalid(uri)


def _invalid(uri: str) -> ConfigurationError:
    return ConfigurationError(
        Translatable(
            "The Wyoming address {uri!r} cannot be used.", uri=uri.rpartition("@")[2][:200]
        ),
        remedy=_REMEDY,
    )


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket."""

    socket: socket.socket
    url: str
    """The URI at which it listens."""
    inode: int | None = None
    """Of the file of a Unix socket."""

    def remove_file(self) -> None:
        """Remove the file of a Unix socket, unless another server has put its own there."""
        if self.inode is not None:
            path = Path(self.url.removeprefix("unix://"))
            with suppress(OSError):
                if path.stat().st_ino == self.inode:
                    path.unlink()


async def open_listener(address: Address) -> Listener:
    """Begin to listen.

    Raises:
        ConfigurationError: the address is in use, or cannot be used.
    """
    try:
        if isinstance(address, TcpAddress):
            return await _open_tcp(address)
        return await asyncio.to_thread(_open_unix, address.path)
    except OSError as error:
        raise ConfigurationError(
            Translatable(
                "The Wyoming server cannot listen on {url}: {strerror}.",
                url=_url(address),
                strerror=os.strerror(error.errno) if error.errno else error,
            ),
            remedy=remedy_of(error, "Stop the program that uses it, or choose another address."),
        ) from cause_of(error, address.host if isinstance(address, TcpAddress) else "path")


def _url(address: Address) -> str:
    if isinstance(address, UnixAddress):
        return f"unix://{address.path}"
    host = host_in_url(address.host)
    return f"tcp://{host}:{address.port}"


async def _open_tcp(address: TcpAddress) -> Listener:
    found = await asyncio.get_running_loop().getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    family, kind, protocol, _, at = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(at)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    host, port = listener.getsockname()[:2]
    return Listener(listener, _url(TcpAddress(host, port)))


def _open_unix(path: Path) -> Listener:
    """Bind a socket; one that a killed server has left is replaced, anything else is kept."""
    if path.is_socket() and not _is_served(path):
        path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        listener.listen(BACKLOG)
        inode = path.stat().st_ino
    except OSError:
        listener.close()
        raise
    return Listener(listener, _url(UnixAddress(path)), inode)


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:  # it may be: then it stays
            return True
        return True
