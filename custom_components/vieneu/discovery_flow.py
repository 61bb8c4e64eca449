"""Steps of the config flow for servers that are discovered: by Supervisor, or in the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN, CONF_URL
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.util import dt as dt_util
from pydantic import SecretStr

from vieneu_core.credentials import is_home, parse_auth_token, parse_endpoint_url
from vieneu_core.errors import AddressUpdateError
from vieneu_core.pairing import RECORD_FILE, NetworkAnnouncement, UpdateRecord
from vieneu_core.router import Mode

from .config_forms import TOKEN
from .const import CONF_APP, CONF_KIND, CONF_LOCAL, DOMAIN, LocalKind
from .reauth_end import async_end_reauth
from .reauth_flow import ReauthFlow
from .validation import Failure, verify

INVALID = "invalid_discovery_info"
DONE = "already_configured"


class DiscoveryFlow(ReauthFlow):
    """Offers a discovered server as the local voice, or renews the address of a known one.

    A server that Supervisor hands over is trusted. One in the network is not: the token goes only
    to an address that was signed with it.
    """

    _local: Mapping[str, str]
    """Settings of the discovered server; without the token where the admin has to enter it."""
    _name: str
    _announcement: NetworkAnnouncement

    # --- an app of Home Assistant -------------------------------------------------------------

    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Take address and token of the app from Supervisor."""
        local = _app_settings(discovery_info)
        if local is None:
            return self.async_abort(reason=INVALID)
        entry = self._own_entry()
        if entry is not None and _is_same_app(entry.data[CONF_LOCAL], local):
            return self._renew(entry, local)
        await self.async_set_unique_id(discovery_info.uuid)
        self._abort_if_unique_id_configured()
        self._local, self._name = local, discovery_info.name
        self.context.update(
            {
                "title_placeholders": {"name": discovery_info.name},
                "configuration_url": f"homeassistant://hassio/addon/{discovery_info.slug}/info",
            }
        )
        return await self.async_step_hassio_confirm()

    async def async_step_hassio_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Use the app as the local voice, after a click."""
        failure = None
        if user_input is not None and not (failure := await verify(self.hass, self._local)):
            return await self._use(self._local)
        return self._form("hassio_confirm", failure, placeholders={"app": self._name})

    # --- a server in the network --------------------------------------------------------------

    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Follow a known server to its new address, or ask for the token of a new one."""
        try:
            found = NetworkAnnouncement.read(discovery_info.properties, discovery_info.port)
        except AddressUpdateError:
            return self.async_abort(reason=INVALID)
        url = found.url_at(discovery_info.host)
        if url is None or not is_home(discovery_info.host):
            return self.async_abort(reason=INVALID)
        if (entry := self._own_entry()) is not None:
            return await self._follow(entry, found, url)
        await self.async_set_unique_id(found.id)
        self._abort_if_unique_id_configured()
        self._announcement, self._name = found, found.name
        self._local = {CONF_KIND: LocalKind.SERVER.value, CONF_URL: url}
        self.context["title_placeholders"] = {"name": found.name}
        return await self.async_step_zeroconf_confirm()

    async def async_step_zeroconf_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the token; a wrong one is sent nowhere."""
        failure = None
        if user_input is not None:
            given = {**self._local, CONF_TOKEN: user_input[CONF_TOKEN].strip()}
            failure = Failure("not_signed")
            if self._announcement.is_signed_with(SecretStr(given[CONF_TOKEN])):
                failure = await verify(self.hass, given)
            if not failure:
                return await self._use(given)
        names = {"name": self._name, "address": self._local[CONF_URL]}
        return self._form("zeroconf_confirm", failure, TOKEN, placeholders=names)

    async def _follow(
        self, entry: ConfigEntry, found: NetworkAnnouncement, url: str
    ) -> ConfigFlowResult:
        """Take over the new address of the local server, if it is signed with its token."""
        local = entry.data[CONF_LOCAL]
        token = SecretStr(local.get(CONF_TOKEN, ""))
        is_server = local[CONF_KIND] == LocalKind.SERVER and CONF_APP not in local
        if is_server and found.is_signed_with(token):
            record = UpdateRecord(Path(self.hass.config.path(DOMAIN)) / RECORD_FILE)
            try:
                await self.hass.async_add_executor_job(
                    lambda: found.check_new(record, now=dt_util.utcnow())
                )
            except AddressUpdateError:
                return self.async_abort(reason=INVALID)
            return self._renew(entry, {**local, CONF_URL: url})
        return self.async_abort(reason=DONE)

    # --- both ---------------------------------------------------------------------------------

    def _own_entry(self) -> ConfigEntry | None:
        """Return the only entry; None before the set-up. One that was ignored is none."""
        return next(iter(self._async_current_entries(include_ignore=False)), None)

    async def _use(self, local: Mapping[str, str]) -> ConfigFlowResult:
        """Make the server the local voice; Colab stays as it is."""
        entry = self._own_entry()
        if entry is None:
            return await self._save({CONF_LOCAL: dict(local)})
        return self._renew(entry, local, reason="local_replaced")

    def _renew(
        self, entry: ConfigEntry, local: Mapping[str, str], *, reason: str = DONE
    ) -> ConfigFlowResult:
        """Write the settings of the local server; a loaded entry follows by itself."""
        data = {**entry.data, CONF_LOCAL: dict(local)}
        if data != dict(entry.data):
            is_loaded = entry.state is ConfigEntryState.LOADED  # it is loaded again at once
            async_end_reauth(self.hass, entry, Mode.LOCAL)
            self.hass.config_entries.async_update_entry(entry, data=data)
            if not is_loaded:
                self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_abort(reason=reason)


def _app_settings(found: HassioServiceInfo) -> dict[str, str] | None:
    """Return the settings of an app; None if it states none that can be used."""
    host, port, token = (found.config.get(key) for key in (CONF_HOST, CONF_PORT, CONF_TOKEN))
    if not (isinstance(host, str) and isinstance(port, int) and isinstance(token, str)):
        return None
    try:
        url = parse_endpoint_url(
            f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        )
        secret = parse_auth_token(SecretStr(token)).get_secret_value()
    except ValueError:
        return None
    if not secret:
        return None
    kind = LocalKind.SERVER.value
    return {CONF_KIND: kind, CONF_URL: url, CONF_TOKEN: secret, CONF_APP: found.slug}


def _is_same_app(local: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    """Return whether the local voice is an app, also one that was entered by hand."""
    if CONF_APP in local:
        return cast("bool", local[CONF_APP] == found[CONF_APP])
    return all(local.get(key) == found[key] for key in (CONF_URL, CONF_TOKEN))
