"""Requests that schemathesis derives from the relay's OpenAPI documents, answered as described.

With a wrong token: `test_derived_requests.py`, for the same middleware.
"""

from __future__ import annotations

from pathlib import Path

from derived_requests import EXPECTED, LIMITS, derived
from relay_site import RelaySite, relaying
from server_site import TOKEN

from vieneu_core.router import Router
from vieneu_core.testing.scripted import ScriptedBackend

FEW = 8
"""Random requests for each operation; most are derived by rules."""
ENDS_THE_RUN = "/(logout|password|events|connect|connect/test|disconnect|rotate-token|unload)$"
"""The admin's: no login, no answer that ends, another server, or nothing that speaks."""
NO_REMOTE = (*EXPECTED, "503")
"""What needs the remote backend, or another one that is not set up, says so."""


async def document_of(site: RelaySite, path: str, token: str, folder: Path) -> Path:
    document = folder / "openapi.json"
    headers = {"Authorization": f"Bearer {token}"}
    async with site.session.get(f"{site.url}{path}", headers=headers) as answer:
        assert answer.status == 200
        document.write_bytes(await answer.read())
    return document


async def test_each_answer_of_the_relay_is_one_that_is_described(tmp_path: Path) -> None:
    backend = ScriptedBackend(name="local", clones=True)
    async with relaying(tmp_path, router=Router(local=backend), **LIMITS) as site:
        document = await document_of(site, "/openapi.json", TOKEN, tmp_path)

        status, printed = await derived(document, site.url, TOKEN, max_examples=FEW)

        assert status == 0, printed
        assert backend.record.requests, "it spoke"


async def test_each_answer_to_an_admin_is_one_that_is_described(tmp_path: Path) -> None:
    backend = ScriptedBackend(name="local", clones=True)
    async with relaying(tmp_path, router=Router(local=backend), **LIMITS) as site:
        token, url = site.admin_token, f"{site.url}/relay"
        document = await document_of(site, "/relay/openapi.json", token, tmp_path)

        status, printed = await derived(
            document, url, token, left_out=ENDS_THE_RUN, expected=NO_REMOTE, max_examples=FEW
        )

        assert status == 0, printed
        assert backend.record.requests, "it spoke"
