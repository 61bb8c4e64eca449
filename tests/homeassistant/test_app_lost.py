"""The app of Home Assistant as the local voice: what is said when it stops."""

from __future__ import annotations

import pytest
from conftest import SetUp, until
from discovered import SLUG, server_at
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from server_outage import notifications, repairs
from server_site import Site, serving
from test_server_lost import message, turn_off

from vieneu_core.testing.scripted import ScriptedBackend


@pytest.mark.parametrize("language", ["en", "vi"])
async def test_an_app_that_stops_is_started_on_its_page_and_asks_for_no_token(
    hass: HomeAssistant, set_up: SetUp, site: Site, language: str
) -> None:
    await hass.config.async_update(language=language)
    entry = await set_up(server_at(site.url, app=SLUG))
    await turn_off(hass, entry, site, "app_lost")

    assert repairs(hass) == {"app_lost", "fallback_active"}
    issue = ir.async_get(hass).async_get_issue("vieneu", "app_lost")
    assert issue is not None
    assert not issue.is_fixable, "no form: the token is handed over by Supervisor"
    assert issue.learn_more_url == f"homeassistant://hassio/addon/{SLUG}/info"
    assert {"en": "see its log", "vi": "xem nhật ký"}[language] in message(hass)
    port = int(site.url.rpartition(":")[2])
    async with serving(ScriptedBackend(), port=port):
        await entry.runtime_data.router.check("local")
        await until(hass, lambda: not repairs(hass))
        assert notifications(hass) == []
        await hass.config_entries.async_unload(entry.entry_id)
