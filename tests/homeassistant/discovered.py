"""What is discovered: as Home Assistant makes it of Supervisor's messages and of advertisements."""

from __future__ import annotations

import ipaddress
from typing import Any

from flow_steps import Flow
from homeassistant.config_entries import SOURCE_HASSIO, SOURCE_ZEROCONF
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.util import dt as dt_util
from pydantic import SecretStr
from server_site import TOKEN
from yarl import URL

from vieneu_core.pairing import NetworkAdvertisement

OTHER_TOKEN = "another-token-0123456789"
SLUG = "a1b2c3d4_vieneu"
INVALID = "invalid_discovery_info"


def handed_over(url: str, **changes: Any) -> HassioServiceInfo:
    """Return what Home Assistant makes of a message of Supervisor."""
    config = {
        "host": URL(url).host, "port": URL(url).port, "token": TOKEN, "addon": "VieNeu", **changes,
    }  # fmt: skip
    return HassioServiceInfo(config=config, name="VieNeu Relay", slug=SLUG, uuid="1234")


def advertised(url: str, token: str = TOKEN, **changes: Any) -> ZeroconfServiceInfo:
    """Return what Home Assistant makes of an advertisement in the network."""
    parts = URL(url)
    addresses = [ipaddress.ip_address(parts.host or "")]
    said = NetworkAdvertisement.signed(
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
    assert flow["type"] is FlowResultType.ABORT
    return str(flow["reason"])
