"""A server is spoken to only where its certificate is right."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import trustme
from fault_proxy import FaultProxy
from remote_site import RemoteSite
from tone_engine import expected, heard, same

from vieneu_core.backends.base import synthesize
from vieneu_core.errors import (
    TlsError,
)
from vieneu_core.i18n import translated
from vieneu_core.synthesis import SynthesisRequest

TEXT = "Xin chào câu 7."


def tls(authority: trustme.CA, *names: str, **more: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **more).configure_cert(context)
    return context


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def trusting(authority: trustme.CA) -> AsyncIterator[aiohttp.ClientSession]:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        yield session


async def test_speech_comes_over_tls_from_a_trusted_server(
    site: RemoteSite, authority: trustme.CA, trusting: aiohttp.ClientSession
) -> None:
    proxy = FaultProxy(site.address, tls=tls(authority, "localhost"))
    await proxy.start()
    try:
        remote = await site.loaded(url=proxy.url, session=trusting)
        speech = await synthesize(remote, SynthesisRequest(text=TEXT))
        assert same(heard(speech.pcm, 24_000), [expected(TEXT)])
        await trusting.close()
    finally:
        await proxy.aclose()


@pytest.mark.parametrize(
    ("names", "more", "trusted", "reason"),
    [
        (("localhost",), {}, False, "máy này không nhận ra nơi cấp chứng chỉ"),
        (("another.example",), {}, True, "được cấp cho máy khác"),
        (("localhost",), {"not_after": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, True, "đã hết hạn"),
    ],
    ids=["unknown issuer", "wrong host", "expired"],
)
async def test_a_certificate_that_is_not_right_ends_it_before_the_token_is_sent(
    site: RemoteSite,
    authority: trustme.CA,
    trusting: aiohttp.ClientSession,
    names: tuple[str, ...],
    more: dict[str, Any],
    trusted: bool,
    reason: str,
) -> None:
    proxy = FaultProxy(site.address, tls=tls(authority, *names, **more))
    await proxy.start()
    try:
        remote = site.client(proxy.url, session=trusting if trusted else None)
        with pytest.raises(TlsError, match="certificate") as caught:
            await remote.load()
        assert translated(caught.value.detail, "vi").endswith(f" không được chấp nhận: {reason}.")
        assert proxy.seen == []
    finally:
        await proxy.aclose()


async def test_tls_to_a_port_that_has_none_is_a_tls_error(site: RemoteSite) -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    remote = site.client(f"https://127.0.0.1:{port}")

    async with server:
        with pytest.raises(TlsError, match=f"127.0.0.1:{port}") as caught:
            await remote.load()
    assert translated(caught.value.detail, "vi").endswith("máy chủ không dùng TLS ở cổng này.")
