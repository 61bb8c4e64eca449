"""The handshake of versions."""

from __future__ import annotations

import pytest
from server_site import Site


@pytest.mark.parametrize("version", [None, "1.0", "1.7"])
async def test_clients_of_the_same_major_version_are_served(
    site: Site, version: str | None
) -> None:
    headers = {} if version is None else {"Vieneu-Wire-Version": version}

    async with site.get("/health", headers=headers) as response:
        assert response.status == 200
        assert response.headers["Vieneu-Wire-Version"] == "1.0"


@pytest.mark.parametrize(
    ("version", "upgrade"),
    [("0.9", "vieneu-core"), ("2.0", "vieneu-colab-server"), ("?", "vieneu-core"), ("", "vieneu")],
)
async def test_other_clients_are_told_which_side_to_upgrade(
    site: Site, version: str, upgrade: str
) -> None:
    async with site.get("/health", headers={"Vieneu-Wire-Version": version}) as response:
        problem = await site.problem(response)

    assert (response.status, problem.code) == (426, "wire_version")
    assert upgrade in problem.remedy


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/livez"), ("GET", "/x"), ("PUT", "/health"), ("POST", "/tts/stream")],
)
async def test_every_answer_states_the_version(site: Site, method: str, path: str) -> None:
    async with site.session.request(method, site.url + path) as response:
        assert response.headers.getall("Vieneu-Wire-Version") == ["1.0"]
