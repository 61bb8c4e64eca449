"""The user's dictionary as an option: applied at once, heard, and wrong lines named."""

from __future__ import annotations

from typing import Any

from conftest import SetUp
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from test_tts import decoded, spoken
from tone_engine import expected, heard, same

OPTIONS = {"speed": 1.0, "sentence_pause": 0.0, "automatic_fallback": False}
"""Without a fallback, so that a busy machine is waited for."""
WRITTEN = "# Nhà\nmục một = câu 11\n"
TEXT = "Đây là mục một nhé."
SAID = "Đây là câu 11 nhé."


async def configure(hass: HomeAssistant, entry_id: str, **changes: Any) -> Any:
    flow = await hass.config_entries.options.async_init(entry_id)
    return await hass.config_entries.options.async_configure(
        flow["flow_id"], {**OPTIONS, **changes}
    )


async def says(hass: HomeAssistant, sentence: str) -> bool:
    rate, pcm = decoded(await spoken(hass, TEXT, preferred_format="wav"))
    return same(heard(pcm, rate), [expected(sentence)])


async def test_an_entry_is_heard_from_the_next_announcement_on_and_not_from_the_cache(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab, mode="remote", automatic_fallback=False)
    runtime = entry.runtime_data
    assert await says(hass, TEXT)
    done = await configure(hass, entry.entry_id, dictionary=WRITTEN)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert entry.options["dictionary"] == WRITTEN
    assert await says(hass, SAID)
    assert entry.runtime_data is runtime, "without a reload"

    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert await says(hass, SAID)

    await configure(hass, entry.entry_id)
    await hass.async_block_till_done()
    assert "dictionary" not in entry.options
    assert await says(hass, TEXT)


async def test_a_wrong_line_is_named_and_nothing_is_saved(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab, mode="remote")
    hass.config.language = "vi"
    form = await configure(hass, entry.entry_id, dictionary=f"{WRITTEN}sai\n= b\n", speed=1.5)
    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == {"dictionary": "dictionary_lines"}
    lines = form["description_placeholders"]["lines"]
    assert "3: Dòng này không có dấu =" in lines
    assert "4: Trước dấu = không có từ nào." in lines
    assert entry.options.get("speed") != 1.5

    fields = {str(field): field for field in form["data_schema"].schema}
    suggested = fields["dictionary"].description["suggested_value"]
    assert suggested.startswith(WRITTEN), "what was typed stays"
    done = await hass.config_entries.options.async_configure(
        form["flow_id"], {**OPTIONS, "dictionary": WRITTEN}
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_a_text_that_is_too_long_is_refused(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab, mode="remote")
    form = await configure(hass, entry.entry_id, dictionary="# " + "x" * (64 * 1024))
    assert form["errors"] == {"dictionary": "dictionary_too_long"}
