"""A model hub on this machine: it speaks the protocol of Hugging Face's, and fails on demand.

Large files are not on the hub itself: it redirects to a storage at another address, as in truth, so
that a token that wanders off is seen.
"""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from guard import GUARD_S

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
    """Send other bytes than declared."""
    proxy_passwords: set[str] = field(default_factory=set)
    """Every Proxy-Authorization header that came: none is for a hub."""
    ranges: list[str] = field(default_factory=list)
    """Range headers that came."""
    ignore_ranges: bool = False
    tokens_at_storage: set[str] = field(default_factory=set)
    reset_after: list[int] = field(default_factory=list)
    """The next downloads are reset after so many bytes; the last of them may be lost."""
    claims: list[int] = field(default_factory=list)
    """The next downloads end after so many bytes, and claim that this is all."""
    declared_bytes: int | None = None
    """The size that is stated of a large file, in place of the true one."""
    pause_s: float = 0.0
    """Waits so long before each quarter of a megabyte that it sends."""
    may_send: threading.Event = field(default_factory=threading.Event)
    """Contents are held back until this is set, as it is at first."""
    n_silent: int = 0
    """So many of the next requests get no answer while the hub runs."""
    page: bytes = b""
    """Answers everything, as a captive portal does."""
    url: str = ""
    storage_url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def hub_site(tls: ssl.SSLContext | None = None) -> Iterator[HubSite]:
    """Run a hub, with a certificate where there is one."""
    site = HubSite()
    site.may_send.set()
    handler = type("Handler", (_Handler,), {"site": site})
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
    scheme = "http" if tls is None else "https"
    site.url, site.storage_url = (f"{scheme}://127.0.0.1:{each.server_port}" for each in servers)
    if tls is not None:
        for each in servers:
            # The handshake is made by the thread of the connection, at its first byte.
            each.socket = tls.wrap_socket(
                each.socket, server_side=True, do_handshake_on_connect=False
            )
    # A short poll, so that the end of a test is not waited for.
    threads = [threading.Thread(target=each.serve_forever, args=(0.01,)) for each in servers]
    for thread in threads:
        thread.start()
    try:
        yield site
    finally:
        site.closing.set()
        site.may_send.set()
        for each in servers:
            each.shutdown()
            each.server_close()
        for thread in threads:
            thread.join()


def etag_of(content: bytes) -> str:
    """Return the name that the hub gives a content."""
    if len(content) > SMALL_BYTES:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    site: HubSite
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the client went away, as some tests want it to
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        site = self.site
        site.asked.append((self.command, self.path))
        path = self.path.partition("?")[0].strip("/")
        if (token := self.headers.get("Authorization")) is not None:
            (site.tokens_at_storage if path.startswith("cdn/") else site.tokens).add(token)
        if (password := self.headers.get("Proxy-Authorization")) is not None:
            site.proxy_passwords.add(password)
        if site.n_silent:
            site.n_silent -= 1
            site.closing.wait(GUARD_S)
            self.close_connection = True
            return
        if site.statuses:
            self._refuse(site.statuses.pop(0))
            return
        if site.page:
            self._send_whole(site.page, "text/html", with_body=with_body)
            return
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
        self._send_whole(json.dumps(body).encode(), "application/json", with_body=True)

    def _send_whole(self, raw: bytes, kind: str, *, with_body: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        if with_body:
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
            url = f"{self.site.storage_url}/cdn/{repo}/{name}?Signature=secret-of-the-storage"
            self.send_header("Location", url)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(files[name], with_body=with_body)

    def _send_names(self, content: bytes, *, linked: bool) -> None:
        self.send_header("X-Repo-Commit", self.site.commit)
        self.send_header("ETag", f'"{etag_of(content)}"')
        if linked:
            self.send_header("X-Linked-Etag", f'"{etag_of(content)}"')
            size = self.site.declared_bytes
            self.send_header("X-Linked-Size", str(len(content) if size is None else size))

    def _send_file(self, owner: str, repo: str, name: str, *, with_body: bool) -> None:
        self._send(self.site.files[f"{owner}/{repo}"][name], with_body=with_body)

    def _send(self, content: bytes, *, with_body: bool) -> None:
        site, start = self.site, 0
        asked = self.headers.get("Range", "")
        if asked:
            site.ranges.append(asked)
        if asked.startswith("bytes=") and not site.ignore_ranges:
            start = int(asked.removeprefix("bytes=").partition("-")[0])
        if start >= len(content) > 0:
            self._refuse(416)
            return
        body = content[start:]
        if site.corrupt:
            body = bytes(byte ^ 1 for byte in body)
        if with_body and site.claims:
            body = body[: site.claims.pop(0)]
        self.send_response(206 if start else 200)
        self._send_names(content, linked=False)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not with_body:
            return
        site.may_send.wait(GUARD_S)
        if site.cut_after:
            self.wfile.write(body[: site.cut_after.pop(0)])
            self.close_connection = True
            return
        if site.reset_after:
            self.wfile.write(body[: site.reset_after.pop(0)])
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        for at in range(0, len(body), 1 << 18):
            self.site.closing.wait(site.pause_s)
            self.wfile.write(body[at : at + (1 << 18)])
