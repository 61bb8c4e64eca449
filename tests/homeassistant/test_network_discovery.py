"""Discovery in the network: the token goes only to an address that was signed with it."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Any

import pytest
from conftest import SetUp, until
from discovered import INVALID, OTHER_TOKEN, SLUG, aborted, advertised, discover, server_at
from flow_steps import go_on, loaded
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from server_site import TOKEN, Site, serving

from vieneu_core.testing.scripted import ScriptedBackend


async def test_a_server_in_the_network_is_offered_and_asks_for_its_token(
    hass: HomeAssistant, site: Site
) -> None:
    flow = await discover(hass, advertised(site.url))
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "zeroconf_confirm")
    assert flow["description_placeholders"]["address"] == site.url
    flow = await go_on(hass, flow, {"token": f" {TOKEN} "})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["data"] == server_at(site.url)
    entry = await loaded(hass)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_token_that_did_not_sign_is_sent_nowhere(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger advertises itself under any name, and waits for the token of the owner."""

    async def sent(*_: object, **__: object) -> None:
        pytest.fail("the token was sent")

    monkeypatch.setattr("custom_components.vieneu.validation.verify_server", sent)
    flow = await discover(hass, advertised("http://192.168.1.66:8000", "token-of-the-stranger"))
    flow = await go_on(hass, flow, {"token": TOKEN})
    assert flow["errors"] == {"base": "not_signed"}


async def test_a_server_that_does_not_answer_is_an_error(hass: HomeAssistant) -> None:
    flow = await discover(hass, advertised("http://127.0.0.1:9"))
    flow = await go_on(hass, flow, {"token": TOKEN})
    assert flow["errors"] == {"base": "cannot_connect"}


async def test_a_server_is_offered_once(hass: HomeAssistant, site: Site) -> None:
    await discover(hass, advertised(site.url))
    assert aborted(await discover(hass, advertised(site.url))) == "already_in_progress"


async def test_a_changed_address_heals_itself(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    entry = await set_up(server_at(site.url))
    async with serving(ScriptedBackend(name="moved")) as moved:
        assert aborted(await discover(hass, advertised(moved.url))) == "already_configured"
        assert entry.data == server_at(moved.url)
        await until(hass, lambda: entry.state.value == "loaded")
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_forged_address_changes_nothing(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    """Without the token no address can be signed; a true signature is of one address and port."""
    data = server_at(site.url)
    entry = await set_up(data)
    true = advertised(site.url)
    forged = [
        advertised("http://192.168.1.66:8000", OTHER_TOKEN),
        advertised(site.url, port=1),
        advertised(
            "http://192.168.1.66:8000",
            properties={**true.properties, "addresses": "192.168.1.66"},
        ),
    ]
    for each in forged:
        assert aborted(await discover(hass, each)) == "already_configured"
    elsewhere = ipaddress.ip_address("192.168.1.66")
    assert aborted(await discover(hass, advertised(site.url, ip_addresses=[elsewhere]))) == INVALID
    assert entry.data == data


async def test_an_old_advertisement_that_is_sent_again_changes_nothing(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    now = dt_util.utcnow()
    entry = await set_up(server_at("http://127.0.0.1:9"))
    old = advertised("http://127.0.0.1:10", now=now - timedelta(hours=1))
    assert aborted(await discover(hass, advertised(site.url, now=now))) == "already_configured"
    assert aborted(await discover(hass, old)) == INVALID
    ahead = advertised("http://127.0.0.1:10", now=now + timedelta(days=2))
    assert aborted(await discover(hass, ahead)) == INVALID
    assert entry.data == server_at(site.url)
    await until(hass, lambda: entry.state.value == "loaded")


@pytest.mark.parametrize(
    "local", [{"kind": "embedded"}, {"kind": "server", "app": SLUG}], ids=["embedded", "app"]
)
async def test_a_server_is_not_offered_once_the_entry_is_there(
    hass: HomeAssistant, site: Site, local: dict[str, str]
) -> None:
    data = {"local": {"url": site.url, "token": TOKEN, **local}}
    MockConfigEntry(domain="vieneu", data=data, unique_id="vieneu").add_to_hass(hass)
    found = advertised("http://127.0.0.1:10")
    assert aborted(await discover(hass, found)) == "already_configured"


@pytest.mark.parametrize(
    "changes",
    [
        {"properties": {}},
        {"properties": {"id": "x" * 10_000}},
        {"port": None},
        {"ip_addresses": [ipaddress.ip_address("192.168.1.66")]},
    ],
)
async def test_an_advertisement_that_is_none_is_left(
    hass: HomeAssistant, site: Site, changes: dict[str, Any]
) -> None:
    assert aborted(await discover(hass, advertised(site.url, **changes))) == INVALID


async def test_an_old_advertisement_is_refused_also_at_the_set_up(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    old = dt_util.utcnow() - timedelta(days=400)
    flow = await discover(hass, advertised(site.url, now=old))
    assert aborted(await go_on(hass, flow, {"token": TOKEN})) == INVALID
    data = server_at("http://127.0.0.1:9")
    entry = await set_up(data)
    assert aborted(await discover(hass, advertised(site.url, now=old))) == INVALID
    assert entry.data == data


async def test_an_address_that_does_not_answer_replaces_none(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    data = server_at("http://127.0.0.1:9")
    entry = await set_up(data)
    found = advertised("http://127.0.0.1:10")
    assert aborted(await discover(hass, found)) == "already_configured"
    assert entry.data == data


@pytest.mark.parametrize("url", ["https://127.0.0.1:9", "http://home.local:9"])
async def test_https_and_names_are_not_replaced(hass: HomeAssistant, site: Site, url: str) -> None:
    data = server_at(url)
    entry = MockConfigEntry(domain="vieneu", data=data, unique_id="vieneu")
    entry.add_to_hass(hass)
    assert aborted(await discover(hass, advertised(site.url))) == "already_configured"
    assert entry.data == data


async def test_a_newer_address_takes_the_place_of_an_open_dialog(
    hass: HomeAssistant, site: Site
) -> None:
    now = dt_util.utcnow()
    moved = "http://127.0.0.1:9"
    first = await discover(hass, advertised(moved, now=now - timedelta(minutes=1)))
    second = await discover(hass, advertised(site.url, now=now))
    assert second["description_placeholders"]["address"] == site.url
    late = advertised(moved, now=now - timedelta(minutes=2))
    assert aborted(await discover(hass, late)) == "already_in_progress"
    (opened,) = hass.config_entries.flow.async_progress()
    assert opened["flow_id"] == second["flow_id"] != first["flow_id"]


async def test_a_dialog_that_is_left_open_does_not_replace_the_voice(
    hass: HomeAssistant, site: Site
) -> None:
    flow = await discover(hass, advertised(site.url))
    data = {"local": {"kind": "embedded"}}
    entry = MockConfigEntry(domain="vieneu", data=data, unique_id="vieneu")
    entry.add_to_hass(hass)
    assert aborted(await go_on(hass, flow, {"token": TOKEN})) == "already_configured"
    assert entry.data == data


@pytest.mark.parametrize(
    ("name", "shown"), [("[Nhà](http://evil.example)", "Nhàhttpevilexample"), ("**", None)]
)
async def test_the_name_of_a_stranger_is_no_markdown(
    hass: HomeAssistant, site: Site, name: str, shown: str | None
) -> None:
    found = advertised(site.url)
    found.properties["name"] = name
    flow = await discover(hass, found)
    shown = shown or found.properties["id"][:8]
    assert flow["description_placeholders"]["name"] == shown


async def test_an_address_outside_the_network_is_left(hass: HomeAssistant) -> None:
    assert aborted(await discover(hass, advertised("http://8.8.8.8:8000"))) == INVALID
