"""Who gets in, and that nothing is read or told before."""

from __future__ import annotations

import asyncio
import hmac

import pytest
from fake_clock import FakeClock
from hypothesis import given, settings
from hypothesis import strategies as st
from server_site import TOKEN, Site, serving
from waiting import until

from vieneu_colab_server.middleware.auth import bearer_token
from vieneu_colab_server.tokens.guess_throttling import (
    FIRST_WAIT_S,
    LONGEST_WAIT_S,
    MOST_HELD_OF_CLIENT,
)
from vieneu_core.testing.scripted import ScriptedBackend

PROTECTED = [
    ("GET", "/health"),
    ("GET", "/voices"),
    ("POST", "/tts/synthesize"),
    ("POST", "/tts/stream"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/no-such-path"),
    ("DELETE", "/livez/"),
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_every_path_but_the_probes_wants_the_token(
    site: Site, method: str, path: str
) -> None:
    wrong = {"Authorization": "Bearer " + "x" * len(TOKEN)}

    async with site.session.request(method, site.url + path, headers=wrong) as response:
        problem = await site.problem(response)

    assert (response.status, problem.code) == (401, "authentication")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Vieneu-Wire-Version"] == "1.0"


@pytest.mark.parametrize(("path", "answer"), [("/livez", "alive"), ("/readyz", "ready")])
async def test_probes_need_no_token_and_state_no_fact(site: Site, path: str, answer: str) -> None:
    async with site.get(path, headers={"Authorization": ""}) as response:
        assert response.status == 200
        assert await response.json() == {"status": answer}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        TOKEN,
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN} {TOKEN}",
    ],
)
async def test_only_the_right_token_opens(site: Site, header: str | None) -> None:
    headers = [] if header is None else [f"Authorization: {header}"]

    assert await raw_status(site, "GET /health HTTP/1.1", *headers) == 401


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer  {TOKEN} ", f"BEARER {TOKEN}"])
async def test_the_scheme_is_written_in_any_case(site: Site, header: str) -> None:
    assert await raw_status(site, "GET /health HTTP/1.1", f"Authorization: {header}") == 200


async def test_two_authorization_headers_are_none(site: Site) -> None:
    twice = [f"Authorization: Bearer {TOKEN}"] * 2

    assert await raw_status(site, "GET /health HTTP/1.1", *twice) == 401


async def test_a_wrong_token_is_refused_before_any_of_the_body_is_sent(site: Site) -> None:
    head = ("POST /tts/stream HTTP/1.1", "Authorization: Bearer wrong", "Content-Length: 999999999")

    assert await raw_status(site, *head) == 401


async def test_a_client_that_waits_for_leave_to_send_is_not_asked_for_its_body(site: Site) -> None:
    head = ("POST /tts/stream HTTP/1.1", "Expect: 100-continue", "Content-Length: 1000")

    assert await raw_status(site, *head) == 401, "not 100"


async def test_the_token_is_compared_in_constant_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def spy(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return compare(a, b)

    monkeypatch.setattr("hmac.compare_digest", spy)
    for token in ("a", TOKEN, "x" * 5_000):
        await raw_status(site, "GET /health HTTP/1.1", f"Authorization: Bearer {token}")

    assert len(compared) == 3
    assert {len(side) for pair in compared for side in pair} == {32}, "digests, of equal length"


async def test_a_guesser_gets_401_later_and_later_and_the_right_token_at_once(
    backend: ScriptedBackend,
) -> None:
    clock = FakeClock()
    async with serving(backend, clock=clock, failed_logins_per_minute=3) as site:
        for n in range(3):
            assert await raw_status(site, "GET /health HTTP/1.1", bearer(f"guess {n}")) == 401
        fourth = asyncio.create_task(raw_status(site, "GET /health HTTP/1.1", bearer("guess 3")))
        await until(lambda: site.service.guesses.n_held)
        assert await raw_status(site, "GET /health HTTP/1.1", bearer(TOKEN)) == 200
        assert not fourth.done()
        await clock.advance(FIRST_WAIT_S)
        assert await fourth == 401


async def test_a_program_with_an_old_token_is_no_guesser(backend: ScriptedBackend) -> None:
    async with serving(backend, clock=FakeClock(), failed_logins_per_minute=3) as site:
        for _ in range(20):
            assert await raw_status(site, "GET /health HTTP/1.1", bearer("former")) == 401


async def test_tokens_of_a_guesser_are_not_checked_while_it_waits_for_many_answers(
    backend: ScriptedBackend,
) -> None:
    clock = FakeClock()
    guesser, other = "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2"
    line = "GET /health HTTP/1.1"
    async with serving(backend, clock=clock, failed_logins_per_minute=1) as site:
        assert await raw_status(site, line, bearer("guess"), guesser) == 401
        held = [
            asyncio.create_task(raw_status(site, line, bearer(f"guess {n}"), guesser))
            for n in range(MOST_HELD_OF_CLIENT)
        ]
        await until(lambda: site.service.guesses.n_held == MOST_HELD_OF_CLIENT)
        assert await raw_status(site, line, bearer(TOKEN), guesser) == 401, "it is not checked"
        assert await raw_status(site, line, bearer(TOKEN), other) == 200
        await clock.advance(LONGEST_WAIT_S)
        assert set(await asyncio.gather(*held)) == {401}
        assert await raw_status(site, line, bearer(TOKEN), guesser) == 200


async def test_behind_a_tunnel_that_states_no_address_the_owner_is_always_checked(
    backend: ScriptedBackend,
) -> None:
    clock = FakeClock()
    line = "GET /health HTTP/1.1"
    async with serving(backend, clock=clock, failed_logins_per_minute=1) as site:
        held = [
            asyncio.create_task(raw_status(site, line, bearer(f"guess {n}")))
            for n in range(MOST_HELD_OF_CLIENT + 2)
        ]
        await until(lambda: site.service.guesses.n_held > MOST_HELD_OF_CLIENT)
        assert await raw_status(site, line, bearer(TOKEN)) == 200
        await clock.advance(LONGEST_WAIT_S)
        assert set(await asyncio.gather(*held)) == {401}


async def test_a_server_that_stops_waits_for_no_guesser(backend: ScriptedBackend) -> None:
    line = "GET /health HTTP/1.1"
    async with serving(backend, clock=FakeClock(), failed_logins_per_minute=1) as site:
        held = [asyncio.create_task(raw_status(site, line, bearer(f"guess {n}"))) for n in range(9)]
        await until(lambda: site.service.guesses.n_held == 8)
    assert set(await asyncio.gather(*held)) == {401}


async def test_no_more_answers_are_held_than_the_limit(backend: ScriptedBackend) -> None:
    clock = FakeClock()
    line = "GET /health HTTP/1.1"
    async with serving(backend, clock=clock, failed_logins_per_minute=1, max_connections=8) as site:
        assert await raw_status(site, line, bearer("guess")) == 401
        held = [asyncio.create_task(raw_status(site, line, bearer(f"guess {n}"))) for n in range(6)]
        await until(lambda: sum(task.done() for task in held) == 2)
        assert site.service.guesses.n_held == 4
        await clock.advance(LONGEST_WAIT_S)
        await asyncio.gather(*held)


@given(st.lists(st.tuples(st.sampled_from([b"authorization", b"host"]), st.binary(max_size=60))))
@settings(max_examples=200)
def test_no_header_can_break_the_reading_of_a_token(headers: list[tuple[bytes, bytes]]) -> None:
    token = bearer_token(headers)

    assert token is None or isinstance(token, bytes)


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


async def raw_status(site: Site, request_line: str, *headers: str) -> int:
    """Send only a head, and return the status of the answer."""
    reader, writer = await asyncio.open_connection(*site.address)
    try:
        lines = [request_line, "Host: test", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        status_line = await reader.readline()
        return int(status_line.split()[1])
    finally:
        writer.close()
        await writer.wait_closed()
