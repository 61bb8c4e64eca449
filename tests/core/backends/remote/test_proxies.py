"""Requests by the proxy that the environment names, through a real one."""

from __future__ import annotations

import logging
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from http_proxy import HttpProxy, forget_proxies, http_proxy
from pydantic import SecretStr
from server_site import TOKEN, serving
from yarl import URL

from vieneu_core.backends.remote import RemoteBackend, RetryPolicy
from vieneu_core.errors import BackendError, ConfigurationError
from vieneu_core.proxies import proxy_for
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend

PASSWORD = "secret-of-the-proxy"
ELSEWHERE = "http://192.168.77.7:8123"
"""Reached by the proxy alone: it sends all requests on to the server of the test."""
ONCE = RetryPolicy(attempts=1)


@asynccontextmanager
async def proxying() -> AsyncIterator[HttpProxy]:
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(serving(ScriptedBackend()))
        yield await stack.enter_async_context(http_proxy(site.address))


async def speak(url: str = ELSEWHERE) -> float:
    remote = RemoteBackend(url, SecretStr(TOKEN), retries=ONCE)
    try:
        await remote.load()
        return (await collect(remote.stream(SynthesisRequest(text="Xin chào.")))).seconds
    finally:
        await remote.aclose()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_proxies(monkeypatch)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_the_remote_speaks_through_the_proxy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxying() as proxy:
        monkeypatch.setenv(name, str(proxy.url))

        assert await speak() > 0.1

    assert all(head.split()[1].startswith(ELSEWHERE.encode()) for head in proxy.heads)


async def test_a_proxy_with_a_password_gets_it_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with proxying() as proxy:
        proxy.authorization = "Basic " + b64encode(f"me:{PASSWORD}".encode()).decode()
        monkeypatch.setenv("HTTP_PROXY", str(proxy.url.with_user("me").with_password(PASSWORD)))
        assert await speak() > 0.1

        monkeypatch.setenv("HTTP_PROXY", str(proxy.url.with_user("me").with_password("wrong")))
        with pytest.raises(BackendError) as caught:
            await speak()

    reported = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert PASSWORD not in reported
    assert "wrong" not in reported


async def test_a_proxy_that_is_away_is_named_as_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://me:{PASSWORD}@127.0.0.1:9")

    with pytest.raises(BackendError, match="proxy") as caught:
        await speak()

    assert "NO_PROXY" in caught.value.remedy
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


async def test_a_proxy_of_another_kind_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://me:{PASSWORD}@127.0.0.1:9")

    with pytest.raises(BackendError, match="ALL_PROXY") as caught:
        await speak()

    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


async def test_this_machine_and_exceptions_are_reached_directly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with serving(ScriptedBackend()) as site:
        assert await speak(site.url) > 0.1


HOME = URL("http://tts.home.example:8000/health")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"HTTP_PROXY": "http://a:1"}, "http://a:1"),
        ({"HTTP_PROXY": "a:1"}, "http://a:1"),
        ({"HTTP_PROXY": ""}, None),
        ({"HTTP_PROXY": "http://a:1", "http_proxy": "http://b:2"}, "http://b:2"),
        ({"HTTP_PROXY": "http://a:1", "ALL_PROXY": "http://b:2"}, "http://a:1"),
        ({"HTTPS_PROXY": "http://a:1"}, None),
        ({"HTTP_PROXY": "http://a:1", "NO_PROXY": "home.example"}, None),
        ({"HTTP_PROXY": "http://a:1", "no_proxy": "x, .home.example"}, None),
        ({"HTTP_PROXY": "http://a:1", "NO_PROXY": "*"}, None),
        ({"HTTP_PROXY": "http://a:1", "NO_PROXY": "other.example"}, "http://a:1"),
        ({"HTTP_PROXY": "http://a:1", "NO_PROXY": "tts.home.example:8000"}, None),
        ({"HTTP_PROXY": "http://a:1", "NO_PROXY": "tts.home.example:80"}, "http://a:1"),
        ({"HTTP_PROXY": "http://a:1", "REQUEST_METHOD": "GET"}, None),
        ({"HTTP_PROXY": "http://u:p@a:1/x"}, "http://a:1"),
    ],
)
def test_the_variables_mean_what_they_mean_to_curl(
    environ: dict[str, str], expected: str | None
) -> None:
    proxy = proxy_for(HOME, environ)

    assert (None if proxy is None else str(proxy.url)) == expected


@pytest.mark.parametrize("listed", ["fd00::1", "[fd00::1]", "[fd00::1]:8000"])
def test_an_exception_may_be_an_address_of_ipv6(listed: str) -> None:
    environ = {"HTTP_PROXY": "http://a:1", "NO_PROXY": listed}

    assert proxy_for(URL("http://[fd00::1]:8000/"), environ) is None
    assert proxy_for(URL("http://[fd00::2]:8000/"), environ) is not None


@pytest.mark.parametrize("value", ["socks5://a:1", "https://a:1", "http://a:port", "[["])
def test_what_is_no_http_proxy_is_refused_without_its_text(value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        proxy_for(HOME, {"HTTP_PROXY": value})

    assert "HTTP_PROXY" in str(caught.value)
    assert value not in str(caught.value) + caught.value.remedy


def test_a_password_is_in_no_repr() -> None:
    proxy = proxy_for(HOME, {"HTTP_PROXY": f"http://u:{PASSWORD}@a:1"})

    assert proxy is not None
    assert proxy.credentials is not None
    assert PASSWORD not in repr(proxy)
