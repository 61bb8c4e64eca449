"""Tells how late the event loop of this Home Assistant is: action ``pulse.take``."""

from __future__ import annotations

import asyncio
import time

import probatio as vol
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
)
from homeassistant.helpers.typing import ConfigType

TICK_S = 0.001


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Offer the action."""

    async def take(call: ServiceCall) -> ServiceResponse:
        """Wake every millisecond for some seconds; return how late it was each time.

        ``worked_ms`` is what the loop's own thread computed meanwhile: what is late without it
        waited for a core, or for another thread of this process.
        """
        late_ms, worked_ms = [], []
        until_s = time.perf_counter() + call.data["seconds"]
        while (began_s := time.perf_counter()) < until_s:
            cpu_s = time.thread_time()
            await asyncio.sleep(TICK_S)
            late_ms.append(1_000 * (time.perf_counter() - began_s - TICK_S))
            worked_ms.append(1_000 * (time.thread_time() - cpu_s))
        return {"late_ms": late_ms, "worked_ms": worked_ms}

    hass.services.async_register(
        "pulse",
        "take",
        take,
        vol.Schema({vol.Required("seconds"): vol.Coerce(float)}),
        SupportsResponse.ONLY,
    )
    return True
