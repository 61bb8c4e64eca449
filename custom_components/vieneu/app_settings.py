"""Address and token of the app of Home Assistant, as Supervisor hands them over."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.hassio import is_hassio
from pydantic import SecretStr

from vieneu_core.credentials import host_in_url, parse_auth_token, parse_endpoint_url

from .const import CONF_APP, CONF_KIND, LocalKind

_LOGGER = logging.getLogger(__name__)


def app_settings(app: str, config: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the settings of an app as a local server; None if it states none that can be used.

    Args:
        app: Its slug.
        config: What it has handed to Supervisor.
    """
    host, port, token = (config.get(key) for key in (CONF_HOST, CONF_PORT, CONF_TOKEN))
    if not (isinstance(host, str) and isinstance(port, int) and isinstance(token, str)):
        return None
    try:
        url = parse_endpoint_url(f"http://{host_in_url(host)}:{port}")
        secret = parse_auth_token(SecretStr(token)).get_secret_value()
    except ValueError:
        return None
    if not secret:
        return None
    kind = LocalKind.SERVER.value
    return {CONF_KIND: kind, CONF_URL: url, CONF_TOKEN: secret, CONF_APP: app}


async def async_current_settings(hass: HomeAssistant, app: str) -> dict[str, str] | None:
    """Ask Supervisor for the settings of an app; None if it has none that can be used."""
    if not is_hassio(hass):
        return None
    # Imported here: its packages are needed only where Supervisor is.
    from homeassistant.components.hassio import AddonError, AddonManager

    try:
        config = await AddonManager(hass, _LOGGER, app, app).async_get_addon_discovery_info()
    except AddonError as error:
        _LOGGER.warning("Supervisor does not hand the app over: %s", error)
        return None
    return app_settings(app, config)
