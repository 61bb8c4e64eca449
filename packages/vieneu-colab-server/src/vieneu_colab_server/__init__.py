"""HTTP server for any `vieneu_core` backend: app, authentication, streaming, launch.

Names are loaded when they are first used. Programs also use `vieneu_colab_server.launch`; other
modules are private.
"""

from __future__ import annotations

from vieneu_core import __version__, lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vieneu_colab_server.app import create_app
    from vieneu_colab_server.server_process import Server
    from vieneu_colab_server.settings import ServerSettings
    from vieneu_colab_server.supervised_server import PublicServer
    from vieneu_colab_server.tunnels.base import NoTunnel

__all__ = [
    "NoTunnel",
    "PublicServer",
    "Server",
    "ServerSettings",
    "__version__",
    "create_app",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "app": ("create_app",),
        "server_process": ("Server",),
        "settings": ("ServerSettings",),
        "supervised_server": ("PublicServer",),
        "tunnels.base": ("NoTunnel",),
    },
)
