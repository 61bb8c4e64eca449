"""Serve a router over HTTP: its clients get failover without knowing of it. Ctrl-C stops it.

Needs vieneu-colab-server. `vieneu connect URL` makes another machine use it.

    python examples/serve_router.py 8000
"""

import sys

from vieneu_colab_server import ServerSettings
from vieneu_colab_server.launch import launch
from vieneu_core import build_router, load_settings
from vieneu_core.credentials import new_auth_token


def main(port: str = "8000") -> None:
    token = new_auth_token()
    print(f"Token: {token.get_secret_value()}", flush=True)
    settings = ServerSettings(token=token, port=int(port))
    launch(
        settings,
        build_router(load_settings()),
        lambda url: print(f"Listening on {url}", flush=True),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
