"""cloudflared from a stand-in of GitHub: checked, kept, and refused by name."""

from __future__ import annotations

import hashlib
import platform
import traceback
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from http_proxy import forget_proxies
from programs import lone_path
from web_site import web_site

from vieneu_colab_server.tunnels.cloudflared import CloudflaredTunnel
from vieneu_colab_server.tunnels.cloudflared_download import fetch_cloudflared
from vieneu_colab_server.tunnels.errors import TunnelNetworkError, TunnelProgramError

PROGRAM = b"#!/bin/sh\necho cloudflared\n" + b"#" * 600_000
NAME = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@dataclass
class GitHub:
    """Publishes one release, and hands its file out by way of another address."""

    sent: bytes = PROGRAM
    status: int = 200
    changes: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def release(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        asset = {
            "name": f"cloudflared-linux-{NAME}",
            "browser_download_url": f"{self.url}/download",
            "digest": f"sha256:{hashlib.sha256(PROGRAM).hexdigest()}",
            **self.changes,
        }
        release = {"tag_name": "2026.11.0", "assets": [{**asset, "name": "other"}, asset]}
        return web.json_response(release, status=self.status)

    async def download(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        raise web.HTTPFound(f"{self.url}/storage")

    async def storage(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.Response(body=self.sent)


@pytest.fixture
async def github() -> AsyncIterator[GitHub]:
    github = GitHub()
    app = web.Application()
    app.router.add_get("/latest", github.release)
    app.router.add_get("/download", github.download)
    app.router.add_get("/storage", github.storage)
    async with web_site(app) as github.url:
        yield github


async def fetched(github: GitHub, folder: Path) -> Path:
    return await fetch_cloudflared(folder / "programs", releases_url=f"{github.url}/latest")


def kept(folder: Path) -> list[Path]:
    return list((folder / "programs").glob("*"))


async def test_it_is_fetched_once_and_can_be_run(github: GitHub, tmp_path: Path) -> None:
    path = await fetched(github, tmp_path)
    again = await fetched(github, tmp_path)

    assert again == path
    assert path.read_bytes() == PROGRAM
    assert path.stat().st_mode & 0o777 == 0o755
    assert kept(tmp_path) == [path]
    assert github.asked.count("/storage") == 1


@pytest.mark.parametrize("content", [PROGRAM[:-1], PROGRAM + b"x", b""])
async def test_one_that_was_changed_since_is_fetched_again(
    github: GitHub, tmp_path: Path, content: bytes
) -> None:
    path = await fetched(github, tmp_path)
    path.write_bytes(content)

    assert await fetched(github, tmp_path) == path
    assert path.read_bytes() == PROGRAM
    assert github.asked.count("/storage") == 2


@pytest.mark.parametrize("sent", [PROGRAM[:-1], b"", b"<html>login</html>"])
async def test_what_is_not_the_published_one_is_not_kept(
    github: GitHub, tmp_path: Path, sent: bytes
) -> None:
    github.sent = sent

    with pytest.raises(TunnelProgramError, match="checksum differs"):
        await fetched(github, tmp_path)
    assert kept(tmp_path) == []


@pytest.mark.parametrize("digest", [None, "", "md5:0123", "sha256:0123"])
async def test_without_a_checksum_nothing_is_fetched(
    github: GitHub, tmp_path: Path, digest: str | None
) -> None:
    github.changes["digest"] = digest

    with pytest.raises(TunnelProgramError, match="no checksum"):
        await fetched(github, tmp_path)
    assert github.asked == ["/latest"]


async def test_a_machine_that_it_is_not_made_for_is_told(github: GitHub, tmp_path: Path) -> None:
    github.changes["name"] = "cloudflared-linux-other"

    with pytest.raises(TunnelProgramError, match=r"2026\.11\.0 is not published for"):
        await fetched(github, tmp_path)


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_github_that_refuses_is_told(github: GitHub, tmp_path: Path, status: int) -> None:
    github.status = status

    with pytest.raises(TunnelNetworkError, match="cannot be downloaded from GitHub"):
        await fetched(github, tmp_path)


async def test_no_network_is_told(tmp_path: Path) -> None:
    with pytest.raises(TunnelNetworkError, match="cannot be downloaded"):
        await fetch_cloudflared(tmp_path, releases_url="http://127.0.0.1:9/latest")


async def test_an_answer_that_is_no_release_is_told(github: GitHub, tmp_path: Path) -> None:
    with pytest.raises(TunnelNetworkError, match="cannot be read"):
        await fetch_cloudflared(tmp_path, releases_url=f"{github.url}/storage")


async def test_a_folder_that_cannot_be_written_is_told(github: GitHub, tmp_path: Path) -> None:
    (tmp_path / "programs").write_text("a file")

    with pytest.raises(TunnelProgramError, match="cannot be kept"):
        await fetched(github, tmp_path)


async def test_the_tunnel_fetches_what_is_not_here(
    github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch(folder: Path) -> Path:
        return await fetch_cloudflared(folder, releases_url=f"{github.url}/latest")

    monkeypatch.setattr("vieneu_colab_server.tunnels.cloudflared.fetch_cloudflared", fetch)
    monkeypatch.setenv("PATH", lone_path(tmp_path / "bin"))
    tunnel = CloudflaredTunnel(fetch_to=tmp_path / "programs")

    with pytest.raises(Exception, match="ended without a tunnel"):
        await tunnel.open(80)
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize(
    ("proxy", "reported"),
    [("socks5://me:secret@127.0.0.1:9", "HTTPS_PROXY"), ("http://me:secret@127.0.0.1:9", "proxy")],
)
async def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, reported: str
) -> None:
    forget_proxies(monkeypatch)
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    with pytest.raises(TunnelNetworkError, match=reported) as caught:
        await fetch_cloudflared(tmp_path, releases_url="https://github.example/latest")

    assert "NO_PROXY" in caught.value.remedy
    assert "secret" not in "".join(traceback.format_exception(caught.value))
