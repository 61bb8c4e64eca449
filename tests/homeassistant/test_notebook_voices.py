"""Custom voices that a notebook carries, chosen in the action and in the dialog."""

from __future__ import annotations

from typing import Any

import probatio as vol
import pytest
from conftest import EMBEDDED, SetUp
from flow_steps import begin, go_on, reconfigure
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from notebook_cells import carried_voices
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from voice_clips import clip

from vieneu_core.audio.decode import decode_clip


async def generate(hass: HomeAssistant, context: Context | None = None, **data: Any) -> str:
    answer: dict[str, Any] = await hass.services.async_call(  # type: ignore[assignment]
        "vieneu", "generate_notebook", data, blocking=True, return_response=True, context=context
    )
    return str(answer["url"])


async def carried(link: str, hass_client: ClientSessionGenerator) -> list[tuple[str, str, bytes]]:
    client = await hass_client()
    answer = await client.get(link)
    return carried_voices(await answer.json(content_type=None))


async def test_the_action_carries_the_voices_that_are_named_and_no_other(
    hass: HomeAssistant, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    entry = await set_up(EMBEDDED)
    for name in ("Bà Ngoại", "Ông Nội"):
        entry.runtime_data.voices.add(name, clip())

    assert await carried(await generate(hass), hass_client) == []
    link = await generate(hass, samples=["ong-noi", "ong-noi"])

    ((name, transcript, audio),) = await carried(link, hass_client)
    assert (name, transcript) == ("Ông Nội", clip().transcript)
    assert decode_clip(audio, max_seconds=20).pcm == clip().pcm


async def test_only_administrators_get_the_recordings(
    hass: HomeAssistant, set_up: SetUp, hass_read_only_user: MockUser, hass_admin_user: MockUser
) -> None:
    entry = await set_up(EMBEDDED)
    entry.runtime_data.voices.add("Bà Ngoại", clip())

    with pytest.raises(Unauthorized):
        await generate(hass, Context(user_id=hass_read_only_user.id), samples=["ba-ngoai"])
    assert await generate(hass, Context(user_id=hass_admin_user.id), samples=["ba-ngoai"])


async def test_what_cannot_be_carried_is_named(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(EMBEDDED)
    with pytest.raises(HomeAssistantError) as caught:
        await generate(hass, samples=["nobody"])
    assert caught.value.translation_key == "notebook_failed"
    assert "nobody" in str(caught.value.translation_placeholders)
    with pytest.raises(vol.Invalid):
        await generate(hass, samples=[str(n) for n in range(9)])


async def test_the_dialog_offers_the_voices_that_were_added(
    hass: HomeAssistant, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    entry = await set_up(EMBEDDED)
    flow = await reconfigure(hass, entry, "colab")
    assert "samples" not in flow["data_schema"].schema
    for number in range(9):
        entry.runtime_data.voices.add(f"Giọng {number}", clip())

    flow = await reconfigure(hass, entry, "colab")
    options = flow["data_schema"].schema["samples"].config["options"]
    assert options[0] == {"value": "giong-0", "label": "Giọng 0"}
    too_many = {"tunnel": "ngrok", "samples": [f"giong-{n}" for n in range(9)]}
    flow = await go_on(hass, flow, too_many)
    assert flow["errors"] == {"base": "notebook_failed"}
    assert "8" in flow["description_placeholders"]["detail"]
    flow = await go_on(hass, flow, {"tunnel": "ngrok", "samples": ["giong-3"]})

    link = flow["description_placeholders"]["link"]
    assert [name for name, _, _ in await carried(link, hass_client)] == ["Giọng 3"]


async def test_the_first_dialog_asks_for_no_voices(hass: HomeAssistant) -> None:
    flow = await begin(hass, "colab")
    assert "samples" not in flow["data_schema"].schema
