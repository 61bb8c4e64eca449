"""One line for each answer: its route by name, and nothing else that a client wrote."""

from __future__ import annotations

import pytest
from access_lines import lines
from fastapi import FastAPI
from server_site import TOKEN, Site
from starlette.routing import Route


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    return [
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route)
        for method in sorted(route.methods or ())
    ]


async def test_every_route_of_the_app_is_logged_by_name(
    site: Site, log: pytest.LogCaptureFixture
) -> None:
    app = site.app
    named = routes_of(app)
    assert {path for _, path in named} == {*app.openapi()["paths"], "/openapi.json"}
    routes = [(method, path) for method, path in named if "{" not in path]
    wrong = {"Authorization": "Bearer wrong"}  # so that nothing is changed by the request

    for method, path in routes:
        async with site.session.request(method, site.url + path, headers=wrong):
            pass

    assert {("POST", "/admin/rotate-token"), ("POST", "/admin/drain")} <= set(routes)
    logged = lines(log)
    assert [line.rpartition(":")[0] for line in logged] == [f"{m} {path}" for m, path in routes]
    assert "POST /admin/drain: 401" in logged


async def test_a_parameter_of_a_path_is_not_logged(
    site: Site, log: pytest.LogCaptureFixture
) -> None:
    async with site.session.delete(site.url + f"/voices/{TOKEN}?key={TOKEN}") as response:
        assert response.status == 404

    assert lines(log) == ["DELETE /voices/{voice_id}: 404"]


@pytest.mark.parametrize("path", [f"/{TOKEN}", f"/admin/{TOKEN}", "/health/", "//health"])
async def test_an_unknown_path_is_not_logged(
    site: Site, log: pytest.LogCaptureFixture, path: str
) -> None:
    async with site.session.get(site.url + path) as response:
        assert response.status == 404

    assert lines(log) == ["GET (unknown path): 404"]


async def test_a_known_path_with_another_method_is_named(
    site: Site, log: pytest.LogCaptureFixture
) -> None:
    async with site.session.put(site.url + "/health") as response:
        assert response.status == 405

    assert lines(log) == ["PUT /health: 405"]
