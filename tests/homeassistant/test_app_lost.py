"""The app of Home Assistant as the local voice: what is said when it stops."""

from __future__ import annotations

import pytest
from conftest import SetUp
from discovered import SLUG, server_at
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from server_outage import repairs, turn_on_until_end
from server_site import Site
from test_server_lost import message, turn_off


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
    await turn_on_until_end(hass, entry, site)
