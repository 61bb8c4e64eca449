"""A model hub on this machine: it speaks the protocol of Hugging Face's, and fails on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "1" * 40
SMALL_BYTES = 4096
"""Files up to here lie in Git itself, with its checksum; larger ones are LFS, by their SHA-256."""


@dataclass
class HubSite:
    """What the hub holds, how it misbehaves, and what it was asked."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Content by repository and name."""
    commit: str = COMMIT
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request."""
    tokens: set[str] = field(default_factory=set)
    """Every Authorization header that came."""
    cut_after: list[int] = field(default_factory=list)
    """The next downloads break off after so many bytes."""
    statuses: list[int] = field(default_factory=list)
    """The next requests are answered with these."""
    error_code: str = ""
    """Stands in X-Error-Code of answers from 400 on."""
    corrupt: bool = False
    """Send other bytes than announced."""
    ranges: list[str] = field(default_factory=list)
    """Range headers that came."""
    ignore_ranges: bool = False
    url: str = ""


@contextmanager
def hub_site() -> Iterator[HubSite]:
    """Run a hub."""
    site = HubSite()
    handler = type("Handler", (_Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def etag_of(content: bytes) -> str:
    """Return the name that the hub gives a content."""
    if len(content) > SMALL_BYTES:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    site: HubSite
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        site = self.site
        site.asked.append((self.command, self.path))
        if (token := self.headers.get("Authorization")) is not None:
            site.tokens.add(token)
        if site.statuses:
            self._refuse(site.statuses.pop(0))
            return
        path = self.path.partition("?")[0].strip("/")
        if path.startswith("api/models/"):
            self._describe(path.removeprefix("api/models/"))
        elif path.startswith("cdn/"):
            self._send_file(*path.removeprefix("cdn/").split("/", 2), with_body=with_body)
        else:
            repo, _, rest = path.partition("/resolve/")
            self._resolve(repo, *rest.partition("/")[::2], with_body=with_body)

    def _refuse(self, status: int, code: str | None = None) -> None:
        self.send_response(status)
        if code or self.site.error_code:
            self.send_header("X-Error-Code", code or self.site.error_code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _describe(self, path: str) -> None:
        repo = "/".join(path.split("/")[:2])
        files = self.site.files.get(repo)
        if files is None:
            self._refuse(404, "RepoNotFound")
            return
        body: dict[str, Any] = {
            "id": repo,
            "sha": self.site.commit,
            "siblings": [{"rfilename": name} for name in files],
        }
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _resolve(self, repo: str, revision: str, name: str, *, with_body: bool) -> None:
        files = self.site.files.get(repo)
        if files is None:
            self._refuse(404, "RepoNotFound")
        elif revision not in {"main", "v1", self.site.commit}:
            self._refuse(404, "RevisionNotFound")
        elif name not in files:
            self._refuse(404, "EntryNotFound")
        elif len(files[name]) > SMALL_BYTES:
            self.send_response(302)
            self._send_names(files[name], linked=True)
            self.send_header("Location", f"/cdn/{repo}/{name}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(files[name], with_body=with_body)

    def _send_names(self, content: bytes, *, linked: bool) -> None:
        self.send_header("X-Repo-Commit", self.site.commit)
        self.send_header("ETag", f'"{etag_of(content)}"')
        if linked:
            self.send_header("X-Linked-Etag", f'"{etag_of(content)}"')
            self.send_header("X-Linked-Size", str(len(content)))

    def _send_file(self, owner: str, repo: str, name: str, *, with_body: bool) -> None:
        self._send(self.site.files[f"{owner}/{repo}"][name], with_body=with_body)

    def _send(self, content: bytes, *, with_body: bool) -> None:
        site, start = self.site, 0
        asked = self.headers.get("Range", "")
        if asked:
            site.ranges.append(asked)
        if asked.startswith("bytes=") and not site.ignore_ranges:
            start = int(asked.removeprefix("bytes=").partition("-")[0])
        body = content[start:]
        if site.corrupt:
            body = bytes(byte ^ 1 for byte in body)
        self.send_response(206 if start else 200)
        self._send_names(content, linked=False)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not with_body:
            return
        if site.cut_after:
            self.wfile.write(body[: site.cut_after.pop(0)])
            self.close_connection = True
            return
        self.wfile.write(body)
