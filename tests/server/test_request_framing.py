"""Requests whose end two programs could see at different places, on raw sockets."""

from __future__ import annotations

import asyncio
import re

import pytest
from guard import GUARD_S
from server_site import TOKEN, Site

PROBE = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
HEALTH = f"GET /health HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()


def posted(*headers: str, body: bytes, end: str = "\r\n") -> bytes:
    lines = [
        "POST /tts/synthesize HTTP/1.1",
        "Host: a",
        f"Authorization: Bearer {TOKEN}",
        "Content-Type: application/json",
        *headers,
    ]
    return "".join(line + end for line in [*lines, ""]).encode() + body


async def answers(site: Site, sent: bytes) -> list[bytes]:
    """Return the status lines of all answers until the server closes the connection."""
    reader, writer = await asyncio.open_connection(*site.address)
    writer.write(sent)
    try:
        async with asyncio.timeout(GUARD_S):
            got = await reader.read()
    finally:
        writer.transport.abort()
    return re.findall(rb"HTTP/1\.1 \d{3}[^\r]*", got)


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 6", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 6"),
        ("content-length: 6", "TRANSFER-ENCODING: Chunked"),
    ],
)
@pytest.mark.parametrize("smuggled", [PROBE, HEALTH])
async def test_two_statements_of_a_length_end_the_connection(
    site: Site, headers: tuple[str, ...], smuggled: bytes
) -> None:
    body = chunked(b'{"text": "Xin."}')

    found = await answers(site, posted(*headers, body=body + smuggled))

    assert len(found) == 1, "what follows is no request"
    assert found[0].startswith(b"HTTP/1.1 200")


async def test_a_later_request_with_two_statements_is_the_last_too(site: Site) -> None:
    sent = posted(
        "Content-Length: 6",
        "Transfer-Encoding: chunked",
        body=chunked(b'{"text": "Xin."}'),
    )

    assert len(await answers(site, HEALTH + sent + HEALTH)) == 2


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 6", "Content-Length: 7"),
        ("Content-Length: 6, 7",),
        ("Content-Length: +6",),
        ("Content-Length: -1",),
        ("Content-Length: 6\r\n 7",),
        ("Content-Length : 6",),
        ("Transfer-Encoding: chunked, chunked",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked\r\n , identity",),
        ("Transfer-Encoding\t: chunked",),
        ("X: a\0b",),
        ("X: a\rb",),
    ],
)
async def test_a_length_that_is_not_clear_is_refused_and_ends_the_connection(
    site: Site, headers: tuple[str, ...]
) -> None:
    found = await answers(site, posted(*headers, body=b"abcdef" + HEALTH))

    assert len(found) == 1
    assert found[0].split()[1] in {b"400", b"501"}


@pytest.mark.parametrize("body", [b"0x6\r\nabcdef\r\n0\r\n\r\n", b"6\r\nabcdefgh0\r\n\r\n"])
async def test_a_broken_chunk_ends_the_connection(site: Site, body: bytes) -> None:
    found = await answers(site, posted("Transfer-Encoding: chunked", body=body + HEALTH))

    assert len(found) <= 1
    assert not any(b" 200 " in line for line in found)


async def test_equal_lengths_and_folded_lines_of_other_headers_are_one_request(
    site: Site,
) -> None:
    body = b'{"text": "Xin."}'
    length = f"Content-Length: {len(body)}"
    sent = posted(length, length, "X-Folded: a\r\n b", "Connection: close", body=body)

    assert [line.split()[1] for line in await answers(site, sent)] == [b"200"]


async def test_lines_that_end_in_a_bare_line_feed_hide_no_request(site: Site) -> None:
    body = b'{"text": "Xin."}'
    sent = posted(f"Content-Length: {len(body)}", "Connection: close", body=body, end="\n")

    assert len(await answers(site, sent + HEALTH)) == 1
