"""A server that answers, but in another version of the protocol: what is said to do."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import EMBEDDED, SetUp, until
from discovered import SLUG, server_at
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations
from server_outage import repairs
from server_site import TOKEN, Site
from test_server_lost import message

from vieneu_core.errors import WireVersionError

APP_PAGE = f"homeassistant://hassio/addon/{SLUG}/info"
UPDATED = {
    "app_too_old": {"en": "Update the app", "vi": "Hãy cập nhật ứng dụng"},
    "server_too_old": {
        "en": "Upgrade vieneu-colab-server",
        "vi": "Hãy nâng cấp vieneu-colab-server",
    },
    "remote_too_old": {"en": "Make a new notebook", "vi": "Hãy tạo notebook mới"},
    "integration_too_old": {"en": "Update the integration", "vi": "Hãy cập nhật bộ tích hợp"},
}


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize(
    ("where", "version", "key", "page", "form"),
    [
        ("app", "0.9", "app_too_old", APP_PAGE, None),
        ("app", "2.0", "integration_too_old", None, None),
        ("local", "0.9", "server_too_old", None, None),
        ("remote", "0.9", "remote_too_old", None, "colab"),
        ("remote", "2.0", "integration_too_old", None, None),
    ],
)
async def test_what_is_too_old_is_to_be_updated_and_not_started(
    hass: HomeAssistant,
    set_up: SetUp,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    where: str,
    version: str,
    key: str,
    page: str | None,
    form: str | None,
) -> None:
    await hass.config.async_update(language=language)
    data: dict[str, dict[str, Any]] = {
        "app": server_at(site.url, app=SLUG),
        "local": server_at(site.url),
        "remote": {**EMBEDDED, "colab": {"url": site.url, "token": TOKEN}},
    }
    mode = "remote" if where == "remote" else "local"
    entry = await set_up(data[where], mode=mode)
    router = entry.runtime_data.router
    await until(hass, lambda: router.active == mode)
    monkeypatch.setattr("vieneu_colab_server.middleware.wire_version.WIRE_VERSION", version)
    with pytest.raises(WireVersionError):
        await router.check(mode)

    await until(hass, lambda: repairs(hass) == {key, "fallback_active"})
    issue = ir.async_get(hass).async_get_issue("vieneu", key)
    assert issue is not None
    assert issue.data is not None
    assert (issue.learn_more_url, issue.data["form"]) == (page, form)
    to_do = UPDATED[key][language]
    assert to_do in message(hass)
    texts = await async_get_translations(hass, language, "issues", {"vieneu"})
    described = [text for path, text in texts.items() if f".issues.{key}." in path]
    assert any(to_do in text for text in described)


async def test_one_that_was_updated_is_used_again(
    hass: HomeAssistant, set_up: SetUp, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody does anything for that, as the texts say."""
    entry = await set_up(server_at(site.url, app=SLUG), mode="local")
    router = entry.runtime_data.router
    await until(hass, lambda: router.active == "local")
    with monkeypatch.context() as old:
        old.setattr("vieneu_colab_server.middleware.wire_version.WIRE_VERSION", "0.9")
        with pytest.raises(WireVersionError):
            await router.check("local")
        await until(hass, lambda: router.active != "local")

    await until(hass, lambda: router.active == "local")
    await until(hass, lambda: repairs(hass) == set())
