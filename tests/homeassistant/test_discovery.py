"""Discovery: Supervisor hands an app over, and servers of the network are followed by signature."""

from __future__ import annotations

import ipaddress
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, until
from flow_steps import Flow, begin, go_on, loaded
from homeassistant.config_entries import SOURCE_HASSIO, SOURCE_IGNORE, SOURCE_ZEROCONF
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.util import dt as dt_util
from pydantic import SecretStr
from pytest_homeassistant_custom_component.common import MockConfigEntry
from server_site import TOKEN, Site, serving
from yarl import URL

from vieneu_core.pairing import NetworkAnnouncement
from vieneu_core.testing.scripted import ScriptedBackend

OTHER_TOKEN = "another-token-0123456789"
SLUG = "a1b2c3d4_vieneu"
ABORT, CREATED, FORM = FlowResultType.ABORT, FlowResultType.CREATE_ENTRY, FlowResultType.FORM
INVALID = "invalid_discovery_info"


def handed_over(url: str, **changes: Any) -> HassioServiceInfo:
    """Return what Home Assistant makes of a message of Supervisor."""
    config = {
        "host": URL(url).host, "port": URL(url).port, "token": TOKEN, "addon": "VieNeu", **changes,
    }  # fmt: skip
    return HassioServiceInfo(config=config, name="VieNeu Relay", slug=SLUG, uuid="1234")


def announced(url: str, token: str = TOKEN, **changes: Any) -> ZeroconfServiceInfo:
    """Return what Home Assistant makes of an announcement in the network."""
    parts = URL(url)
    addresses = [ipaddress.ip_address(parts.host or "")]
    said = NetworkAnnouncement.signed(
        SecretStr(token),
        name="Nhà",
        version="0.1.0",
        addresses=addresses,
        port=parts.port or 0,
        now=changes.pop("now", dt_util.utcnow()),
    )
    given: dict[str, Any] = {
        "ip_address": addresses[0],
        "ip_addresses": addresses,
        "port": parts.port,
        "hostname": "home.local.",
        "type": "_vieneu._tcp.local.",
        "name": "Nhà._vieneu._tcp.local.",
        "properties": said.properties(),
    }
    return ZeroconfServiceInfo(**{**given, **changes})


async def discover(hass: HomeAssistant, found: HassioServiceInfo | ZeroconfServiceInfo) -> Flow:
    source = SOURCE_HASSIO if isinstance(found, HassioServiceInfo) else SOURCE_ZEROCONF
    flow: Flow = await hass.config_entries.flow.async_init(  # type: ignore[assignment]
        "vieneu", context={"source": source}, data=found
    )
    return flow


def server_at(url: str, token: str = TOKEN, **more: str) -> dict[str, Any]:
    return {"local": {"kind": "server", "url": url, "token": token, **more}}


def aborted(flow: Flow) -> str:
    assert flow["type"] is ABORT
    return str(flow["reason"])


# --- an app of Home Assistant -----------------------------------------------------------------


async def test_an_app_is_set_up_by_one_click(
    hass: HomeAssistant, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    flow = await discover(hass, handed_over(site.url))
    assert (flow["type"], flow["step_id"]) == (FORM, "hassio_confirm")
    assert flow["data_schema"] is None, "nothing is typed"
    assert flow["description_placeholders"]["app"] == "VieNeu Relay"
    (waiting,) = hass.config_entries.flow.async_progress()
    assert waiting["context"]["title_placeholders"] == {"name": "VieNeu Relay"}
    assert waiting["context"]["configuration_url"] == f"homeassistant://hassio/addon/{SLUG}/info"  # type: ignore[typeddict-item]

    flow = await go_on(hass, flow, {})
    assert flow["type"] is CREATED
    assert flow["data"] == server_at(site.url, app=SLUG)
    entry = await loaded(hass)
    assert entry.unique_id == "vieneu"
    assert hass.states.get("sensor.vieneu_active_backend").state == "local"  # type: ignore[union-attr]
    assert TOKEN not in caplog.text
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_app_that_does_not_answer_is_an_error_and_tried_again(hass: HomeAssistant) -> None:
    async with serving(ScriptedBackend(name="app")) as site:
        found = handed_over(site.url)
    flow = await go_on(hass, await discover(hass, found), {})
    assert flow["errors"] == {"base": "cannot_connect"}
    assert TOKEN not in json.dumps(flow["description_placeholders"])


async def test_an_app_that_is_found_twice_is_offered_once(hass: HomeAssistant, site: Site) -> None:
    await discover(hass, handed_over(site.url))
    assert aborted(await discover(hass, handed_over(site.url))) == "already_in_progress"


async def test_an_app_that_the_admin_ignores_is_not_offered_again(
    hass: HomeAssistant, site: Site
) -> None:
    flow = await discover(hass, handed_over(site.url))
    assert flow["type"] is FORM
    await hass.config_entries.flow.async_init(
        "vieneu",
        context={"source": SOURCE_IGNORE},
        data={"unique_id": "1234", "title": "VieNeu Relay"},
    )
    assert aborted(await discover(hass, handed_over(site.url))) == "already_configured"
    assert (await begin(hass))["type"] is FlowResultType.MENU, "it can still be set up by hand"


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "evil.example"},  # the token would cross the internet
        {"host": "a b"},
        {"host": None},
        {"port": "8000"},
        {"port": 0},
        {"port": 99_999},
        {"token": ""},
        {"token": "two words"},
        {"token": "x" * 5_000},
        {"token": None},
    ],
)
async def test_a_message_that_cannot_be_used_changes_nothing(
    hass: HomeAssistant, site: Site, changes: dict[str, Any]
) -> None:
    assert aborted(await discover(hass, handed_over(site.url, **changes))) == INVALID


async def test_an_address_of_ipv6_is_understood(hass: HomeAssistant, site: Site) -> None:
    flow = await discover(hass, handed_over(site.url, host="fd00::7"))
    assert flow["step_id"] == "hassio_confirm"


@pytest.mark.parametrize("is_loaded", [True, False])
async def test_a_new_address_and_token_of_the_app_heal_the_entry(
    hass: HomeAssistant, site: Site, set_up: SetUp, *, is_loaded: bool
) -> None:
    old = site.url if is_loaded else "http://127.0.0.1:9"
    entry = await set_up(server_at(old, TOKEN if is_loaded else OTHER_TOKEN, app=SLUG))
    async with serving(ScriptedBackend(name="app")) as moved:
        assert aborted(await discover(hass, handed_over(moved.url))) == "already_configured"
        assert entry.data == server_at(moved.url, app=SLUG)
        await until(hass, lambda: entry.state.value == "loaded")
        await until(
            hass, lambda: hass.states.get("sensor.vieneu_active_backend").state == "local"  # type: ignore[union-attr]
        )  # fmt: skip
        await hass.config_entries.async_unload(entry.entry_id)


async def test_the_same_again_changes_nothing(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    entry = await set_up(server_at(site.url, app=SLUG))
    runtime = entry.runtime_data
    assert aborted(await discover(hass, handed_over(site.url))) == "already_configured"
    await hass.async_block_till_done()
    assert entry.runtime_data is runtime, "it was not loaded again"


async def test_an_app_that_was_entered_by_hand_is_known_by_its_token(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    entry = await set_up(server_at(site.url))
    assert aborted(await discover(hass, handed_over(site.url))) == "already_configured"
    assert entry.data == server_at(site.url, app=SLUG)


async def test_another_app_does_not_take_over_without_a_click(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    data = server_at(site.url, app="other_vieneu")
    entry = await set_up(data)
    flow = await discover(hass, handed_over(site.url, token=OTHER_TOKEN))
    assert flow["type"] is FORM
    flow = await go_on(hass, flow, {})
    assert flow["errors"] == {"base": "invalid_auth"}
    assert entry.data == data


async def test_the_app_takes_the_place_of_another_local_voice_and_colab_stays(
    hass: HomeAssistant, site: Site, set_up: SetUp, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab)
    assert entry.data["local"] == EMBEDDED["local"]
    async with serving(ScriptedBackend(name="app")) as app:
        flow = await go_on(hass, await discover(hass, handed_over(app.url)), {})
        assert aborted(flow) == "local_replaced"
        assert entry.data == {**colab, **server_at(app.url, app=SLUG)}
        await until(hass, lambda: entry.state.value == "loaded")
        await hass.config_entries.async_unload(entry.entry_id)


# --- a server in the network ------------------------------------------------------------------


async def test_a_server_in_the_network_is_offered_and_asks_for_its_token(
    hass: HomeAssistant, site: Site
) -> None:
    flow = await discover(hass, announced(site.url))
    assert (flow["type"], flow["step_id"]) == (FORM, "zeroconf_confirm")
    assert flow["description_placeholders"]["address"] == site.url
    flow = await go_on(hass, flow, {"token": f" {TOKEN} "})
    assert flow["type"] is CREATED
    assert flow["data"] == server_at(site.url)
    entry = await loaded(hass)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_token_that_did_not_sign_is_sent_nowhere(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger announces itself under any name, and waits for the token of the owner."""

    async def sent(*_: object, **__: object) -> None:
        pytest.fail("the token was sent")

    monkeypatch.setattr("custom_components.vieneu.validation.verify_server", sent)
    flow = await discover(hass, announced("http://192.168.1.66:8000", "token-of-the-stranger"))
    flow = await go_on(hass, flow, {"token": TOKEN})
    assert flow["errors"] == {"base": "not_signed"}


async def test_a_server_that_does_not_answer_is_an_error(hass: HomeAssistant) -> None:
    flow = await discover(hass, announced("http://127.0.0.1:9"))
    flow = await go_on(hass, flow, {"token": TOKEN})
    assert flow["errors"] == {"base": "cannot_connect"}


async def test_a_server_is_offered_once(hass: HomeAssistant, site: Site) -> None:
    await discover(hass, announced(site.url))
    assert aborted(await discover(hass, announced(site.url))) == "already_in_progress"


async def test_a_changed_address_heals_itself(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    entry = await set_up(server_at(site.url))
    async with serving(ScriptedBackend(name="moved")) as moved:
        assert aborted(await discover(hass, announced(moved.url))) == "already_configured"
        assert entry.data == server_at(moved.url)
        await until(hass, lambda: entry.state.value == "loaded")
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_forged_address_changes_nothing(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    """Without the token no address can be signed; a true signature is of one address and port."""
    data = server_at(site.url)
    entry = await set_up(data)
    true = announced(site.url)
    forged = [
        announced("http://192.168.1.66:8000", OTHER_TOKEN),
        announced(site.url, port=1),
        announced(
            "http://192.168.1.66:8000",
            properties={**true.properties, "addresses": "192.168.1.66"},
        ),
    ]
    for each in forged:
        assert aborted(await discover(hass, each)) == "already_configured"
    elsewhere = ipaddress.ip_address("192.168.1.66")
    assert aborted(await discover(hass, announced(site.url, ip_address=elsewhere))) == INVALID
    assert entry.data == data


async def test_an_old_announcement_that_is_sent_again_changes_nothing(
    hass: HomeAssistant, site: Site, set_up: SetUp
) -> None:
    now = dt_util.utcnow()
    entry = await set_up(server_at("http://127.0.0.1:9"))
    old = announced("http://127.0.0.1:10", now=now - timedelta(hours=1))
    assert aborted(await discover(hass, announced(site.url, now=now))) == "already_configured"
    assert aborted(await discover(hass, old)) == INVALID
    ahead = announced("http://127.0.0.1:10", now=now + timedelta(days=2))
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
    found = announced("http://127.0.0.1:10")
    assert aborted(await discover(hass, found)) == "already_configured"


@pytest.mark.parametrize(
    "changes",
    [
        {"properties": {}},
        {"properties": {"id": "x" * 10_000}},
        {"port": None},
        {"ip_address": ipaddress.ip_address("192.168.1.66")},
    ],
)
async def test_an_announcement_that_is_none_is_left(
    hass: HomeAssistant, site: Site, changes: dict[str, Any]
) -> None:
    assert aborted(await discover(hass, announced(site.url, **changes))) == INVALID


async def test_an_address_outside_the_network_is_left(hass: HomeAssistant) -> None:
    assert aborted(await discover(hass, announced("http://8.8.8.8:8000"))) == INVALID
