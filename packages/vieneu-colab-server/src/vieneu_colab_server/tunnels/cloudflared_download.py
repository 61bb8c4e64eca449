"""Download of cloudflared from its publisher, verified by checksum.

GitHub states the SHA-256 of each file of a release (``digest`` of an asset):
https://docs.github.com/en/rest/releases/releases#get-the-latest-release
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import tempfile
from pathlib import Path

import aiohttp
from pydantic import BaseModel, ValidationError
from yarl import URL

from vieneu_colab_server.tunnels.errors import TunnelNetworkError, TunnelProgramError
from vieneu_core.errors import ConfigurationError
from vieneu_core.proxies import CHECK_PROXY, proxy_arguments, proxy_unusable
from vieneu_core.translatable import Translatable

RELEASES = "https://api.github.com/repos/cloudflare/cloudflared/releases/latest"
_NAMES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv7l": "arm",
}
_LONGEST_S = 300.0
_PIECE_BYTES = 1 << 18
_MOST_BYTES = 200 << 20
_MAX_RELEASE_BYTES = 4 << 20


class _Asset(BaseModel):
    name: str
    browser_download_url: str
    digest: str | None = None


class _Release(BaseModel):
    tag_name: str
    assets: list[_Asset]


async def fetch_cloudflared(folder: Path, *, releases_url: str = RELEASES) -> Path:
    """Return the newest cloudflared; download it to a folder unless it is there, unchanged.

    Raises:
        TunnelNetworkError: GitHub cannot be reached, or refuses.
        TunnelProgramError: there is none for this machine, or its checksum differs.
    """
    timeout = aiohttp.ClientTimeout(total=_LONGEST_S, connect=15)
    try:
        async with aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session:
            async with session.get(releases_url, **proxy_arguments(URL(releases_url))) as answer:
                release = _Release.model_validate_json(await _beginning(answer.content))
            asset = _fitting(release)
            digest = _sha256_of(asset)
            path = folder / f"cloudflared-{digest[:16]}"
            if not await asyncio.to_thread(_is_whole, path, digest):
                async with session.get(
                    asset.browser_download_url, **proxy_arguments(URL(asset.browser_download_url))
                ) as answer:
                    await _keep(answer.content, path, digest)
    except ValidationError:
        raise TunnelNetworkError(
            "GitHub's description of the newest cloudflared release cannot be read."
        ) from None
    except ConfigurationError as error:  # a proxy that cannot be used
        raise TunnelNetworkError(error.detail, remedy=error.remedy) from None
    except (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError):
        # Its text has the proxy's URL.
        raise TunnelNetworkError(proxy_unusable("GitHub"), remedy=CHECK_PROXY) from None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TunnelNetworkError(
            Translatable(
                "cloudflared cannot be downloaded from GitHub ({kind}).", kind=type(error).__name__
            ),
            remedy="Check the network, or install cloudflared and name its path.",
        ) from error
    except OSError as error:
        raise TunnelProgramError(
            Translatable("cloudflared cannot be kept: {error}.", error=error.strerror)
        ) from error
    return path


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """Return a body; of one that is far too large only a part, which is no document."""
    found = bytearray()
    async for part in content.iter_any():
        found += part
        if len(found) > _MAX_RELEASE_BYTES:
            break
    return bytes(found[:_MAX_RELEASE_BYTES])


def _fitting(release: _Release) -> _Asset:
    machine = platform.machine().lower()
    wanted = f"cloudflared-linux-{_NAMES.get(machine, machine)}"
    for asset in release.assets:
        if asset.name == wanted:
            return asset
    raise TunnelProgramError(
        Translatable(
            "cloudflared {tag_name} is not published for {machine}.",
            tag_name=release.tag_name[:40],
            machine=machine,
        ),
        remedy="Choose the tunnel ngrok.",
    )


def _sha256_of(asset: _Asset) -> str:
    kind, _, digest = (asset.digest or "").partition(":")
    if kind != "sha256" or len(digest) != hashlib.sha256().digest_size * 2:
        raise TunnelProgramError(
            "GitHub states no checksum of cloudflared, so it is not fetched.",
            remedy="Install cloudflared, and name its path.",
        )
    return digest.lower()


def _is_whole(path: Path, digest: str) -> bool:
    """Whether a program is there, and is still the published one: anyone may have changed it."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == digest


async def _keep(stream: aiohttp.StreamReader, path: Path, digest: str) -> None:
    """Write a program to a temporary file, and rename it if its checksum is correct."""
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    handle, name = await asyncio.to_thread(tempfile.mkstemp, dir=path.parent)
    draft, seen, n_bytes = Path(name), hashlib.sha256(), 0
    try:
        with os.fdopen(handle, "wb") as file:
            async for piece in stream.iter_chunked(_PIECE_BYTES):
                n_bytes += len(piece)
                if n_bytes > _MOST_BYTES:
                    break
                seen.update(piece)
                await asyncio.to_thread(file.write, piece)
        if seen.hexdigest() != digest:
            raise TunnelProgramError(
                "The downloaded cloudflared is not the published one: its checksum differs.",
                remedy="Try again. If it stays so, do not use this network.",
            )
        await asyncio.to_thread(draft.chmod, 0o755)
        await asyncio.to_thread(draft.replace, path)
    finally:
        await asyncio.to_thread(draft.unlink, missing_ok=True)
