"""Downloads by the proxy that the environment names, from hubs with a certificate."""

from __future__ import annotations

import asyncio
import importlib
import logging
import socket
import ssl
import traceback
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from engine_calls import quiet
from http_proxy import Address, HttpProxy, forget_proxies, http_proxy
from hub_fetches import AT_ONCE, FILE, LARGE, REPO, SMALL, SOURCE
from hub_site import HubSite, hub_site

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.hub import Hub
from vieneu_core.models.hub_client import HubClient
from vieneu_core.models.hub_failures import InterruptedTransferError

PASSWORD = "secret-of-the-proxy"
HUB, STORAGE = "hub.example", "storage.example"
KINDS = pytest.mark.parametrize("public", [True, False], ids=["public", "huggingface_hub"])


def _forget_clients() -> None:
    """Let huggingface_hub read the environment again."""
    library: Any = importlib.import_module("huggingface_hub")
    getattr(library, "close_session", lambda: None)()  # not there before 1.0


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubSite]:
    """A hub that only the proxy finds: its names are known nowhere."""
    forget_proxies(monkeypatch)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HUB, STORAGE).configure_cert(context)
    _forget_clients()
    with hub_site(context) as site:
        site.files[REPO] = {FILE: LARGE, "voices.json": SMALL}
        for field, host in (("url", HUB), ("storage_url", STORAGE)):
            port = urlsplit(getattr(site, field)).port
            setattr(site, field, f"https://{host}:{port}")
        yield site
    _forget_clients()


def addresses(site: HubSite) -> dict[str, Address]:
    urls = (urlsplit(site.url), urlsplit(site.storage_url))
    return {url.netloc: ("127.0.0.1", url.port or 0) for url in urls}


async def fetched(site: HubSite, cache: Path, *, public: bool) -> bytes:
    hub = Hub(cache_dir=cache, endpoint=site.url, retry_policy=AT_ONCE, public=public)
    path = await asyncio.to_thread(hub.fetch, SOURCE, quiet)
    return path.read_bytes()


async def refused(site: HubSite, cache: Path, *, public: bool) -> tuple[ModelLoadError, str]:
    """Return the error of a fetch, and all that is shown or logged about it."""
    with pytest.raises(ModelLoadError) as caught:
        await fetched(site, cache, public=public)
    return caught.value, "".join(traceback.format_exception(caught.value)) + caught.value.remedy


def tunnels(proxy: HttpProxy) -> set[str]:
    return {target.removeprefix("CONNECT ").split(":")[0] for target in proxy.targets}


@KINDS
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
async def test_a_model_comes_through_the_proxy(
    site: HubSite, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, public: bool
) -> None:
    async with http_proxy(table=addresses(site)) as proxy:
        monkeypatch.setenv(name, str(proxy.url))

        assert await fetched(site, cache, public=public) == LARGE

    assert tunnels(proxy) == {HUB, STORAGE}
    assert all(target.startswith("CONNECT ") for target in proxy.targets)


@KINDS
async def test_a_host_of_no_proxy_is_reached_directly(
    site: HubSite, cache: Path, monkeypatch: pytest.MonkeyPatch, *, public: bool
) -> None:
    """Also the other way round: the hub by the proxy, what it redirects to not."""
    find = socket.getaddrinfo

    def known(host: Any, *more: Any, **options: Any) -> Any:
        return find("127.0.0.1" if host in {STORAGE, STORAGE.encode()} else host, *more, **options)

    async with http_proxy(table=addresses(site)) as proxy:
        monkeypatch.setattr(socket, "getaddrinfo", known)
        password = proxy.url.with_user("me").with_password(PASSWORD)
        monkeypatch.setenv("ALL_PROXY", str(password))
        monkeypatch.setenv("NO_PROXY", f"other.example,{STORAGE}")

        assert await fetched(site, cache, public=public) == LARGE

    assert tunnels(proxy) == {HUB}
    assert not site.proxy_passwords


@KINDS
async def test_a_proxy_with_a_password_gets_it_and_nobody_else(
    site: HubSite,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    public: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with http_proxy(table=addresses(site)) as proxy:
        proxy.authorization = "Basic " + b64encode(f"me:{PASSWORD}".encode()).decode()
        monkeypatch.setenv("HTTPS_PROXY", str(proxy.url.with_user("me").with_password("wrong-one")))
        error, shown = await refused(site, cache, public=public)
        assert error.detail == f"The proxy on the way to {HUB} cannot be used."
        assert "NO_PROXY" in error.remedy
        _forget_clients()

        monkeypatch.setenv("HTTPS_PROXY", str(proxy.url.with_user("me").with_password(PASSWORD)))
        assert await fetched(site, cache, public=public) == LARGE

    assert not site.proxy_passwords
    for secret in (PASSWORD, "wrong-one"):
        assert secret not in shown + caplog.text


@KINDS
async def test_a_proxy_that_is_away_is_the_reason(
    site: HubSite, cache: Path, monkeypatch: pytest.MonkeyPatch, *, public: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@127.0.0.1:9")

    error, shown = await refused(site, cache, public=public)

    assert f"the proxy on the way to {HUB} cannot be used" in error.detail
    assert PASSWORD not in shown


@KINDS
async def test_a_storage_host_that_is_away_past_the_proxy_is_the_reason(
    site: HubSite, cache: Path, monkeypatch: pytest.MonkeyPatch, *, public: bool
) -> None:
    """The hub answers by the proxy; what it redirects to is reached directly, and is away."""
    async with http_proxy(table=addresses(site)) as proxy:
        monkeypatch.setenv("ALL_PROXY", str(proxy.url))
        monkeypatch.setenv("NO_PROXY", STORAGE)  # whose name nobody knows

        error, _ = await refused(site, cache, public=public)

    assert tunnels(proxy) == {HUB}
    assert "the proxy" not in error.detail


def test_a_number_that_is_no_status_refuses_no_password() -> None:
    """Clients of huggingface_hub before 1.0 name the path of the file in the error of a proxy."""

    class ProxyError(Exception):
        pass

    client = HubClient("http://hub.example", None, timeout_s=1)
    said = "Max retries exceeded with url: /o/resolve/a4407/m (Tunnel connection failed: {})"

    assert isinstance(
        client._interruption(ProxyError(said.format("503 Gone")), "m"), InterruptedTransferError
    )
    for refusal in (said.format("407 Wanted"), "407 Proxy Authentication Required"):
        assert isinstance(client._interruption(ProxyError(refusal), "m"), ModelLoadError)


@KINDS
async def test_a_proxy_that_does_not_know_the_host_is_the_reason(
    site: HubSite, cache: Path, monkeypatch: pytest.MonkeyPatch, *, public: bool
) -> None:
    async with http_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", str(proxy.url))
        error, _ = await refused(site, cache, public=public)

    assert f"the proxy on the way to {HUB} cannot be used" in error.detail


@KINDS
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["socks5", "https", "socks4", "nothing"])
async def test_a_proxy_of_another_kind_is_refused_by_name(
    site: HubSite,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    scheme: str,
    *,
    public: bool,
) -> None:
    monkeypatch.setenv(name, f"{scheme}://me:{PASSWORD}@127.0.0.1:9")

    error, shown = await refused(site, cache, public=public)

    assert error.detail == f"The proxy in {name} cannot be used."
    assert name in error.remedy
    assert PASSWORD not in shown
