"""Forms of the admin page: voices, the notebook, and announcements."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
from admin_visit import PAGE, log_in_as_admin
from notebook_cells import carried_voices
from page_visit import Visit, visiting
from playwright.async_api import Browser, expect
from relay_site import RelaySite, relaying
from speak_page import SLOW
from voice_clips import clip, wav_file

HEARD = """new Promise((resolve) => {
    const player = document.getElementById("player");
    const check = () => player.currentTime > 0 && resolve();
    player.addEventListener("timeupdate", check);
    check();
})"""
"""Resolves once the player has played something."""
WRITTEN = "a-token-that-is-written-into-the-notebook"
CHOSEN = (
    *("LANGUAGE = 'en'", "ENGINE = 'piper'", "TUNNEL = 'cloudflared'", "DRIVE_CACHE = True"),
    *("SESSION_HOURS = 2.0", "MODEL = 'a/model'", "CODEC = 'a/codec'", "VOICES = 'ba, me'"),
    *(f"token = '{WRITTEN}'", "callback_url='https://relay.example/relay/api/address'"),
)
"""What the notebook has of the choices in its form."""


async def test_a_voice_is_added_with_consent_heard_and_deleted(
    visit: Visit, site: RelaySite, tmp_path: Path
) -> None:
    page, voices = visit.page, site.administration.voices
    file = tmp_path / "ba.wav"
    file.write_bytes(wav_file())
    await page.set_input_files("#voice-file", file)
    await page.fill("#voice-transcript", "Xin chào các bạn.")
    await page.fill("#voice-name", "Bà Ngoại")
    await page.click("#voice-form button[type=submit]")
    assert await page.evaluate("!document.getElementById('voice-consent').validity.valid")
    assert voices.voices() == ()
    await page.select_option("#voice-language", "en")
    await page.check("#voice-consent")
    await page.click("#voice-form button[type=submit]")
    assert "Bà Ngoại" in await visit.text("#voice-outcome.done")
    assert [voice.language for voice in voices.voices()] == ["en"]
    await page.click("[data-voice=ba-ngoai] button:not(.danger)")
    await page.evaluate(HEARD)
    await page.evaluate(
        "Object.assign(document.getElementById('player'), {currentTime: 0}).pause()"
    )
    await page.press("#player", "Space")
    await page.evaluate(HEARD)
    await page.click("#usable summary")
    await page.click("#usable-voices li:first-child button")
    await page.wait_for_selector("#usable-voices button:not([aria-disabled])")
    await page.evaluate(HEARD)

    await page.click("[data-voice=ba-ngoai] .danger")
    await page.click("dialog button[value=yes]")
    await page.wait_for_selector("#no-voices:not([hidden])")
    assert voices.voices() == ()


async def test_a_clip_that_cannot_be_used_is_named_and_the_form_stays(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit.page
    file = tmp_path / "noise.wav"
    file.write_bytes(b"no audio at all")
    await page.set_input_files("#voice-file", file)
    await page.fill("#voice-transcript", "Xin chào các bạn.")
    await page.fill("#voice-name", "Bà Ngoại")
    await page.check("#voice-consent")
    await page.click("#voice-form button[type=submit]")
    assert await visit.text("#voice-outcome.problem strong")
    assert await page.input_value("#voice-name") == "Bà Ngoại"
    file.write_bytes(bytes(3_000_001))
    await page.set_input_files("#voice-file", file)
    await page.click("#voice-form button[type=submit]")
    await expect(page.locator("#voice-outcome")).to_contain_text("too large")


async def test_a_dictionary_is_saved_and_each_skipped_line_is_named_and_found(
    visit: Visit, site: RelaySite
) -> None:
    page, path = visit.page, site.config.with_name("dictionary.txt")
    await page.fill("#dictionary-text", "# Nhà\nAqara = a ca ra\nsai\n")
    await page.click("#dictionary-form button[type=submit]")
    assert await visit.text("#dictionary-outcome.done") == "Saved. Entries in use: 1."
    assert path.read_text("utf-8") == "# Nhà\nAqara = a ca ra\nsai\n"
    assert site.administration.router.reading.now.dictionary.applied("aqara") == "a ca ra"

    assert "The line has no =" in await visit.text("#dictionary-lines li")
    assert await visit.violations() == []
    await page.press("#dictionary-lines button", "Enter")
    selected = await page.evaluate("""() => {
        const box = document.activeElement;
        return box.value.slice(box.selectionStart, box.selectionEnd);
    }""")
    assert selected == "sai"
    await page.select_option("#language", "vi")
    await expect(page.locator("#dictionary-lines li")).to_contain_text("Dòng này không có dấu =")
    await page.fill("#dictionary-text", "Aqara = a ca ra\n")
    await page.click("#dictionary-form button[type=submit]")
    await expect(page.locator("#dictionary-skipped")).to_be_hidden()


async def test_a_dictionary_that_was_changed_elsewhere_is_not_overwritten(
    visit: Visit, site: RelaySite
) -> None:
    page, path = visit.page, site.config.with_name("dictionary.txt")
    await page.fill("#dictionary-text", "Aqara = a ca ra")
    await page.click("#dictionary-form button[type=submit]")
    await page.wait_for_selector("#dictionary-outcome.done")
    path.write_text("wifi = oai phai\n", "utf-8")
    await page.fill("#dictionary-text", "Tuya = tu da")
    await page.click("#dictionary-form button[type=submit]")
    assert "changed elsewhere" in await visit.text("#dictionary-outcome.problem")
    assert path.read_text("utf-8") == "wifi = oai phai\n"
    assert await page.input_value("#dictionary-text") == "Tuya = tu da"
    await page.click("#dictionary-reload")
    await page.click("dialog button[value=yes]")
    await expect(page.locator("#dictionary-text")).to_have_value("wifi = oai phai\n")


async def test_the_notebook_has_the_choices_of_its_form(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    await page.select_option("#notebook-tunnel", "cloudflared")
    await page.click("#notebook-form summary")
    assert not await page.is_visible("#notebook-domain"), "this tunnel reserves none"
    await page.select_option("#notebook-language", "en")
    await page.select_option("#notebook-engine", "piper")
    await page.check("#notebook-drive-cache")
    await page.fill("#notebook-session-hours", "2")
    await page.fill("#notebook-model", "a/model")
    await page.fill("#notebook-codec", "a/codec")
    await page.fill("#notebook-voices", "ba, me")
    await page.fill("#notebook-token", WRITTEN)
    await page.fill("#notebook-callback-url", "https://relay.example/relay/api/address")
    async with page.expect_download() as begun:
        await page.click("#notebook-form button[type=submit]")
    download = await begun.value
    assert download.suggested_filename == "vieneu_relay.ipynb"
    path = tmp_path / "made.ipynb"
    await download.save_as(path)
    made = json.loads(path.read_text("utf-8"))
    nbformat.validate(made)
    code = "".join(line for cell in made["cells"] for line in cell["source"])
    for choice in CHOSEN:
        assert choice in code
    assert await visit.text("#notebook-outcome.done")


async def test_the_languages_of_a_notebook_have_names_in_that_of_the_page(visit: Visit) -> None:
    page = visit.page
    names = page.locator("#notebook-language option")
    for language, expected in (
        ("vi", ["Tiếng Anh", "Tiếng Việt"]),
        ("en", ["English", "Vietnamese"]),
    ):
        await page.select_option("#language", language)
        assert await names.all_inner_texts() == expected


async def test_a_browser_without_names_of_languages_shows_their_codes(visit: Visit) -> None:
    await visit.page.add_init_script("delete Intl.DisplayNames")
    await visit.page.reload()
    await visit.page.wait_for_selector(PAGE)
    names = visit.page.locator("#notebook-language option")
    assert await names.all_inner_texts() == ["en", "vi"]
    assert await visit.page.locator("#notebook-form button[type=submit]").count() == 1
    assert visit.errors == []


async def test_the_notebook_carries_the_voices_that_are_chosen(
    visit: Visit, site: RelaySite, tmp_path: Path
) -> None:
    page, voices = visit.page, site.administration.voices
    await page.click("#notebook-form summary")
    await page.wait_for_selector("[data-field=samples]", state="attached")
    assert not await page.is_visible("[data-field=samples]"), "there is none to carry"
    for number in range(9):
        voices.add(f"Giọng {number}", clip())
    await page.fill("#notebook-model", "kept while the voices change")
    await page.check("[data-field=samples] input[value=giong-3]")
    assert "agrees" in await page.inner_text("[data-field=samples] .help")
    assert await page.input_value("#notebook-model") == "kept while the voices change"
    for number in (0, 1, 2, 4, 5, 6, 7):
        await page.check(f"[data-field=samples] input[value=giong-{number}]")
    await expect(page.locator("[data-field=samples] input[value=giong-8]")).to_be_disabled()
    for number in (0, 1, 2, 4, 5, 6):
        await page.uncheck(f"[data-field=samples] input[value=giong-{number}]")
    await page.focus("[data-field=samples] input[value=giong-7]")
    voices.remove("giong-0")
    await page.wait_for_selector("[data-field=samples] input[value=giong-0]", state="detached")
    assert await page.evaluate("document.activeElement.value") == "giong-7", "the keyboard's place"
    await page.fill("#notebook-model", "")
    async with page.expect_download() as begun:
        await page.click("#notebook-form button[type=submit]")
    path = tmp_path / "made.ipynb"
    await (await begun.value).save_as(path)
    made = json.loads(path.read_text("utf-8"))
    assert [name for name, _, _ in carried_voices(made)] == ["Giọng 3", "Giọng 7"]


async def test_a_wrong_choice_for_the_notebook_is_named(visit: Visit) -> None:
    page = visit.page
    await page.select_option("#notebook-tunnel", "ngrok")
    await page.click("#notebook-form summary")
    await page.fill("#notebook-domain", "no host")
    await page.click("#notebook-form button[type=submit]")
    assert "write a host name" in await visit.text("#notebook-outcome.problem")
    assert await page.input_value("#notebook-domain") == "no host"


async def test_announcements_are_prepared_and_each_failure_is_named(
    visit: Visit, site: RelaySite
) -> None:
    page = visit.page
    await page.fill("#announcements", "Cửa chính đang mở.\n\nsegfault\nMáy giặt đã xong.")
    await page.click("#cache-form button[type=submit]")
    await page.wait_for_selector("#cache-outcome.done")
    said = await page.inner_text("#cache-outcome")
    assert said == "Prepared: 2. Already in the cache: 0. Failed: 1."
    assert "segfault" in await visit.text("#cache-failed li")
    await page.fill("#announcements", "Cửa chính đang mở.")
    await page.click("#cache-form button[type=submit]")
    await expect(page.locator("#cache-outcome")).to_contain_text("Already in the cache: 1.")
    await page.select_option("#cache-voice", "vi-high")
    await page.click("#cache-form button[type=submit]")
    await expect(page.locator("#cache-outcome")).to_contain_text("Prepared: 1.")
    await page.fill("#cache-speed", "1.5")
    await page.fill("#announcements", "Cửa chính đang mở.\nMáy giặt đã xong.")
    await page.click("#cache-form button[type=submit]")
    await expect(page.locator("#cache-outcome")).to_contain_text("Prepared: 2.")
    body = {"announcements": ["Cửa chính đang mở."], "voice": "vi-high", "speed": 1.5}
    async with site.api("POST", "/cache/prepare", json=body) as answer:
        assert '"present"' in await answer.text(), "with voice and speed of the form"


async def test_a_preparation_is_stopped(browser: Browser, tmp_path: Path) -> None:
    cache = f"cache:\n  enabled: true\n  folder: {tmp_path / 'speech'}\n"
    async with relaying(tmp_path, SLOW + cache) as site, visiting(browser, site.url) as visit:
        await log_in_as_admin(visit, site)
        page = visit.page
        await page.fill("#announcements", "\n".join(f"Đây là câu {n}." for n in range(500)))
        await page.click("#cache-form button[type=submit]")
        await page.click("#cache-stop")
        said = await visit.text("#cache-outcome.done")
        assert re.fullmatch(r"Stopped after \d+ of 500\.", said)
        assert not await page.is_visible("#cache-stop")
