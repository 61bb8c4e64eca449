"""What an admin sees and clicks: Home Assistant's own pages in a real browser, vi and en."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from browser import browsing, picture, text_of
from conftest import COMPONENT
from playwright.async_api import Page, expect
from real_hass import CONFIGURATION, Hass, running_hass
from server_process import TOKEN, running_server

pytestmark = pytest.mark.timeout(1800)
GUIDE = Path(__file__).parents[2] / "docs/home-assistant.md"
ENTITIES = ("select.vieneu_backend", "sensor.vieneu_active_backend", "tts.vieneu_voice")


class Words(NamedTuple):
    """What is on the buttons of Home Assistant and in our own texts."""

    add: str
    submit: str
    skip: str
    embedded: str
    here: str
    lost: str
    notifications: str


LANGUAGES = {
    "en": Words(
        add="Add integration",
        submit="Submit",
        skip="Skip and finish",
        embedded="The small embedded voice",
        here="Local",
        lost="Google Colab is lost",
        notifications="Notifications",
    ),
    "vi": Words(
        add="Thêm bộ tích hợp",
        submit="Gửi đi",
        skip="Bỏ qua và kết thúc",
        embedded="Giọng gọn nhẹ đi kèm",
        here="Giọng trong nhà",
        lost="Mất kết nối Google Colab",
        notifications="Thông báo",
    ),
}


def card() -> dict[str, object]:
    """Return the card of the guide, as a reader copies it."""
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if block.startswith("type: entities")]
    parsed: dict[str, object] = yaml.safe_load(found)
    return parsed


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_admin_sets_it_up_looks_at_it_and_flips_the_switch(
    tmp_path: Path, language: str
) -> None:
    words = LANGUAGES[language]
    configuration = (
        f"{CONFIGURATION}frontend:\nhomeassistant:\n  language: {language}\n  country: VN\n"
    )
    async with (
        running_server("tone_engine:create", "--session-limit=43200") as server,
        running_hass(tmp_path, configuration=configuration) as hass,
        browsing(hass, language=language) as page,
    ):
        await add_by_hand(page, words, language)
        (entry,) = await hass.command("config_entries/get", domain="vieneu")
        await hass.flow(
            {"next_step_id": "paste"},
            {"url": server.url, "token": TOKEN},
            entry=entry["entry_id"],
        )
        backend, active, voice = await entity_ids(hass)
        await check_the_device(page, hass, language)

        await hass.command("lovelace/dashboards/create", url_path="vieneu-relay", title="VieNeu")
        shown = {"views": [{"title": "VieNeu", "cards": [renamed(card(), await names(hass))]}]}
        await hass.command("lovelace/config/save", url_path="vieneu-relay", config=shown)
        await page.goto(f"{hass.url}/vieneu-relay/0")
        await expect(page.locator("hui-entities-card")).to_be_visible()
        await hass.until(active, "local")
        await page.set_viewport_size({"width": 1000, "height": 480})
        await picture(page, f"dashboard-{language}")
        await picture(page.locator("hui-entities-card"), f"card-{language}")
        row = page.locator("hui-select-entity-row")
        await row.get_by_text("Nguồn giọng").click()
        await row.get_by_text("Google Colab", exact=True).click()
        await hass.until(active, "remote")
        assert await hass.state(backend) == "remote"
        await picture(page, f"switched-{language}")

        server.process.kill()
        await server.process.wait()
        await hass.act(
            "tts.speak",
            entity_id=voice,
            media_player_entity_id="media_player.tape",
            message="Có ai ở nhà không?",
        )
        await hass.until(active, "local")
        await page.set_viewport_size({"width": 1280, "height": 900})
        await page.goto(f"{hass.url}/config/repairs")
        await shows(page, words.lost, exact=False)
        await picture(page, f"repairs-{language}")
        await page.get_by_text(words.notifications, exact=True).click()
        await expect(page.locator("notification-drawer").get_by_text(words.lost)).to_be_visible()
        await picture(page, f"notification-{language}")
    assert hass.complaints() == []


async def add_by_hand(page: Page, words: Words, language: str) -> None:
    """Add the integration as an admin does: search, choose, submit."""
    await page.get_by_role("button", name=words.add).click()
    await page.locator("dialog-add-integration input").first.fill("vieneu")
    await page.get_by_text("VieNeu Relay", exact=True).click()
    await shows(page, words.embedded)
    await picture(page, f"menu-{language}")
    shown = await text_of(page)
    assert "component.vieneu" not in shown
    await page.get_by_text(words.embedded).first.click()
    await page.get_by_role("button", name=words.submit).click()
    await page.get_by_role("button", name=words.skip).click()
    await shows(page, "VieNeu Relay")


async def check_the_device(page: Page, hass: Hass, language: str) -> None:
    """Open the page of the device: every entity is there, by its name in this language."""
    devices = await hass.command("config/device_registry/list")
    (device,) = [each for each in devices if each["manufacturer"] == "VieNeu Relay"]
    await page.set_viewport_size({"width": 1280, "height": 1500})
    await page.goto(f"{hass.url}/config/devices/device/{device['id']}")
    texts = yaml.safe_load((COMPONENT / f"translations/{language}.json").read_text("utf-8"))
    for name in (
        texts["entity"]["sensor"]["session_end"]["name"],
        texts["entity"]["binary_sensor"]["fallback_active"]["name"],
        texts["entity"]["button"]["test_connection"]["name"],
        texts["entity"]["number"]["speed"]["name"],
    ):
        await shows(page, name)
    await picture(page, f"device-{language}")
    assert "component.vieneu" not in await text_of(page)


async def shows(page: Page, text: str, *, exact: bool = True) -> None:
    """Wait until words can be seen; Home Assistant keeps some of them hidden as well."""
    await page.get_by_text(text, exact=exact).locator("visible=true").first.wait_for()


async def names(hass: Hass) -> dict[str, str]:
    """Return entity ids in English, which the guide uses, with those of this Home Assistant.

    Home Assistant makes them of the names in its language.
    """
    texts = yaml.safe_load((COMPONENT / "translations/en.json").read_text("utf-8"))["entity"]
    registered = await hass.command("config/entity_registry/list")
    found = {}
    for entity in registered:
        if entity["platform"] == "vieneu":
            domain = entity["entity_id"].partition(".")[0]
            english = texts[domain][entity["translation_key"]]["name"]
            found[f"{domain}.vieneu_{re.sub(r'[^a-z]+', '_', english.lower())}"] = entity[
                "entity_id"
            ]
    return found


async def entity_ids(hass: Hass) -> list[str]:
    known = await names(hass)
    return [known[entity] for entity in ENTITIES]


def renamed(card: dict[str, object], known: dict[str, str]) -> dict[str, object]:
    entities = card["entities"]
    assert isinstance(entities, list)
    rows = [{**row, "entity": known[row["entity"]]} for row in entities]
    return {**card, "entities": rows}
