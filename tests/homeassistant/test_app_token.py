"""The app does not accept the token: Supervisor is asked for the current one, nobody types it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from conftest import EMBEDDED, SetUp, until
from discovered import OTHER_TOKEN, SLUG, server_at
from flow_steps import go_on
from homeassistant.components.hassio.const import DATA_COMPONENT
from homeassistant.components.hassio.handler import HassIO
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from server_outage import repairs
from server_site import TOKEN, Site
from yarl import URL


class Supervisor:
    """What the apps have handed to Supervisor."""

    def __init__(self) -> None:
        self.messages: list[dict[str, object]] = []
        self.fails = False

    def hand_over(self, url: str, token: str = TOKEN, *, addon: str = SLUG) -> None:
        config = {"host": URL(url).host, "port": URL(url).port, "token": token}
        message = {"addon": addon, "service": "vieneu", "uuid": "0" * 32, "config": config}
        self.messages = [message]

    async def answer(self, request: web.Request) -> web.Response:
        if self.fails:
            return web.json_response({"result": "error", "message": "busy"}, status=500)
        return web.json_response({"result": "ok", "data": {"discovery": self.messages}})


@pytest.fixture
async def supervisor(hass: HomeAssistant) -> AsyncIterator[Supervisor]:
    """Supervisor's API on a socket, and Home Assistant's own client of it."""
    found, app = Supervisor(), web.Application()
    app.router.add_get("/discovery", found.answer)
    async with TestServer(app) as server:
        session = async_get_clientsession(hass)
        hass.data[DATA_COMPONENT] = HassIO(hass.loop, session, f"127.0.0.1:{server.port}")
        hass.config.components.add("hassio")
        yield found


async def test_the_token_of_now_is_taken_from_supervisor_without_a_question(
    hass: HomeAssistant, set_up: SetUp, site: Site, supervisor: Supervisor
) -> None:
    supervisor.hand_over(site.url)
    entry = await set_up(server_at(site.url, OTHER_TOKEN, app=SLUG))
    await until(hass, lambda: entry.data == server_at(site.url, app=SLUG))
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_active_backend", "local"))
    assert hass.config_entries.flow.async_progress() == []
    assert repairs(hass) == set()
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("no_embedded_voice")
async def test_also_where_nothing_else_speaks(
    hass: HomeAssistant, set_up: SetUp, site: Site, supervisor: Supervisor
) -> None:
    supervisor.hand_over(site.url)
    entry = await set_up(server_at(site.url, OTHER_TOKEN, app=SLUG))
    await until(hass, lambda: entry.state.value == "loaded")
    assert entry.data == server_at(site.url, app=SLUG)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_where_supervisor_has_no_other_the_app_is_to_be_restarted(
    hass: HomeAssistant, set_up: SetUp, site: Site, supervisor: Supervisor
) -> None:
    supervisor.hand_over(site.url, OTHER_TOKEN)
    entry = await set_up(server_at(site.url, OTHER_TOKEN, app=SLUG))
    await until(hass, hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_app"
    flow = await go_on(hass, flow, {})
    assert flow["errors"] == {"base": "app_refuses"}
    assert flow["data_schema"] is None, "nothing is typed"

    supervisor.hand_over(site.url, addon="another_app")
    assert (await go_on(hass, flow, {}))["errors"] == {"base": "app_unknown"}
    supervisor.fails = True
    assert (await go_on(hass, flow, {}))["errors"] == {"base": "app_unknown"}
    supervisor.fails = False

    supervisor.hand_over(site.url)
    assert (await go_on(hass, flow, {}))["reason"] == "reauth_successful"
    assert entry.data == server_at(site.url, app=SLUG)
    await until(hass, lambda: hass.states.is_state("sensor.vieneu_active_backend", "local"))
    await hass.config_entries.async_unload(entry.entry_id)


async def test_that_question_does_not_stop_colab(
    hass: HomeAssistant, set_up: SetUp, site: Site, supervisor: Supervisor
) -> None:
    supervisor.hand_over(site.url, OTHER_TOKEN)
    colab = {"colab": {"url": site.url, "token": TOKEN}}
    data = {**server_at(site.url, OTHER_TOKEN, app=SLUG), **colab}
    entry = await set_up(data, mode="remote")
    assert entry.state.value == "loaded"
    assert hass.states.is_state("sensor.vieneu_active_backend", "remote")
    await until(hass, hass.config_entries.flow.async_progress)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_without_supervisor_it_says_what_to_do_until_another_voice_is_chosen(
    hass: HomeAssistant, set_up: SetUp, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(server_at(site.url, OTHER_TOKEN, app=SLUG))
    await until(hass, hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert (await go_on(hass, flow, {}))["errors"] == {"base": "app_unknown"}

    async def meanwhile(*_: object) -> None:
        hass.config_entries.async_update_entry(entry, data=EMBEDDED)

    monkeypatch.setattr("custom_components.vieneu.reauth_flow.async_current_settings", meanwhile)
    assert (await go_on(hass, flow, {}))["reason"] == "server_removed"
