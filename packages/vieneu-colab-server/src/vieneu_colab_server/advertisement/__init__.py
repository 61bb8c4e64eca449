"""Advertisement in the local network, which is opt-in, and whose packages may be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from vieneu_core.errors import MissingExtraError

if TYPE_CHECKING:
    from vieneu_colab_server.advertisement.presence import NetworkPresence


AdvertiseOption: TypeAlias = Annotated[
    str | None, typer.Option(metavar="NAME", help="Advertise it in the local network by this name.")
]
"""Option `--announce` of both commands; None advertises nothing."""


def network_presence(name: str | None) -> NetworkPresence | None:
    """Return what advertises a server by a name; None for none.

    Raises:
        MissingExtraError: the extra ``zeroconf`` is not installed.
        ConfigurationError: the name cannot be advertised.
    """
    if name is None:
        return None
    try:
        from vieneu_colab_server.advertisement.presence import NetworkPresence
    except ImportError as error:
        raise MissingExtraError(
            "An advertisement in the network", "zeroconf", package="vieneu-colab-server"
        ) from error
    return NetworkPresence(name)
