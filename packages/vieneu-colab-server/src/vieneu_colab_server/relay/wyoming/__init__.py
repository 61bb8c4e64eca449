"""Wyoming protocol: speech for Home Assistant and voice satellites, over any backend.

https://github.com/OHF-Voice/wyoming describes the protocol. It has no authentication: whoever
reaches the address may speak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vieneu_core.errors import MissingExtraError

if TYPE_CHECKING:
    from vieneu_colab_server.relay.wyoming.server import WyomingServer


def wyoming_server_class() -> type[WyomingServer]:
    """Return `WyomingServer`, whose packages may be missing.

    Raises:
        MissingExtraError: the extra ``wyoming`` is not installed.
    """
    try:
        from vieneu_colab_server.relay.wyoming.server import WyomingServer
    except ImportError as error:
        raise MissingExtraError(
            "The Wyoming server", "wyoming", package="vieneu-colab-server"
        ) from error
    return WyomingServer
