"""A package index on this machine, and wheels of one module for it."""

from __future__ import annotations

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from vieneu_core import __version__
from vieneu_core.notebook import Wheel
from vieneu_core.notebook.packing import pack

NAMES = ("vieneu_core", "vieneu_colab_server")
"""The packages that a notebook carries."""


class Index:
    """A package index on this machine that has what lies in its folder.

    Args:
        folder: A folder for each package.
        broken: A pattern; paths that match it are answered with 503.
    """

    def __init__(self, folder: Path, *, broken: str = "$^") -> None:
        asked = self.asked = list[str]()

        class Handler(SimpleHTTPRequestHandler):
            def log_request(self, code: object = "-", size: object = "-") -> None:
                del code, size
                asked.append(self.path)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                del format, args

            def do_GET(self) -> None:
                if re.search(broken, self.path):
                    self.send_error(503)
                else:
                    super().do_GET()

        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def made_wheel(
    name: str, version: str = __version__, *, needs: str = "", python: str = "3", code: str = ""
) -> Wheel:
    """Return a wheel with one module."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += f"Requires-Python: >={python}\n" + (f"Requires-Dist: {needs}\n" if needs else "")
    content = {
        f"{name}/__init__.py": code.encode(),
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    return Wheel(f"{name}-{version}-py3-none-any.whl", pack(content))
