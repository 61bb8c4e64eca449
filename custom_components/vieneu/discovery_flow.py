"""Steps of the config flow for servers that are discovered: by Supervisor, or in the network."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.util import dt as dt_util
from pydantic import SecretStr
from yarl import URL

from vieneu_core.credentials import is_home
from vieneu_core.errors import AddressUpdateError
from vieneu_core.pairing import ADVERTISED_TYPE, RECORD_FILE, NetworkAdvertisement, UpdateRecord
from vieneu_core.router import Mode

from .app_settings import app_settings
from .config_forms import TOKEN
from .const import APP_PAGE, CONF_APP, CONF_KIND, CONF_LOCAL, DOMAIN, LocalKind
from .reauth_end import async_end_reauth
from .reauth_flow import ReauthFlow
from .validation import Failure, verify, verify_app

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
    _advertisement: NetworkAdvertisement
    _urls: list[str]
    """Of the advertised server, the best one first."""
    _seen_at: datetime
    """When it was advertised: a dialog may wait for days."""

    # --- an app of Home Assistant -------------------------------------------------------------

    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Take address and token of the app from Supervisor."""
        local = app_settings(discovery_info.slug, discovery_info.config)
        if local is None:
            return self.async_abort(reason=INVALID)
        entry = self._own_entry()
        if entry is not None and _is_same_app(entry.data[CONF_LOCAL], local):
            return self._renew(entry, local)
        await self.async_set_unique_id(discovery_info.uuid, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        for dialog in self._async_in_progress(match_context={"unique_id": discovery_info.uuid}):
            self.hass.config_entries.flow.async_abort(dialog["flow_id"])  # of what was before
        self._local, self._name = local, discovery_info.name
        self.context.update(
            {
                "title_placeholders": {"name": discovery_info.name},
                "configuration_url": APP_PAGE.format(app=discovery_info.slug),
            }
        )
        return await self.async_step_hassio_confirm()

    async def async_step_hassio_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Use the app as the local voice, after a click."""
        failure = None
        if user_input is not None and not (failure := await verify_app(self.hass, self._local)):
            return await self._use(self._local)
        return self._form("hassio_confirm", failure, placeholders={"app": self._name})

    # --- a server in the network --------------------------------------------------------------

    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Follow a known server to its new address, or ask for the token of a new one."""
        try:
            found = NetworkAdvertisement.read(discovery_info.properties, discovery_info.port)
        except AddressUpdateError:
            return self.async_abort(reason=INVALID)
        home = filter(is_home, found.addresses.split(","))
        urls = [found.url_at(each) for each in home if each in discovery_info.addresses]
        self._urls, self._seen_at = [url for url in urls if url is not None], dt_util.utcnow()
        if not self._urls:
            return self.async_abort(reason=INVALID)
        if (entry := self._own_entry()) is not None:
            return await self._follow(entry, found)
        await self.async_set_unique_id(found.id, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        if not self._ends_older_dialogs(found):
            return self.async_abort(reason="already_in_progress")
        self._advertisement, self._name = found, _plain(found.name) or found.id[:8]
        self.context["title_placeholders"] = {"name": self._name}
        return await self.async_step_zeroconf_confirm()

    async def async_step_zeroconf_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the token; a wrong one is sent nowhere."""
        if self._own_entry() is not None:
            return self.async_abort(reason=DONE)
        failure = None
        if user_input is not None:
            token = user_input[CONF_TOKEN].strip()
            failure = Failure("not_signed")
            if self._advertisement.is_signed_with(SecretStr(token)):
                if not await self._is_new(self._advertisement):
                    return self.async_abort(reason=INVALID)
                for url in self._urls:
                    kind = LocalKind.SERVER.value
                    given = {CONF_KIND: kind, CONF_URL: url, CONF_TOKEN: token}
                    if not (failure := await verify(self.hass, given)):
                        return await self._save({CONF_LOCAL: given})
        names = {"name": self._name, "address": self._urls[0]}
        return self._form("zeroconf_confirm", failure, TOKEN, placeholders=names)

    async def _follow(self, entry: ConfigEntry, found: NetworkAdvertisement) -> ConfigFlowResult:
        """Take over the new address of the local server, if it answers and is signed by its token.

        An address that was entered with https or by a name is left: it would lose its protection.
        """
        local = entry.data[CONF_LOCAL]
        token = local.get(CONF_TOKEN, "")
        is_server = local[CONF_KIND] == LocalKind.SERVER and CONF_APP not in local
        if not (is_server and found.is_signed_with(SecretStr(token))):
            return self.async_abort(reason=DONE)
        host, port = _address(local[CONF_URL])
        if not host or (host in found.addresses.split(",") and port == found.port):
            return self.async_abort(reason=DONE)
        if not await self._is_new(found):
            return self.async_abort(reason=INVALID)
        for url in self._urls:
            failure = await verify(self.hass, {CONF_URL: url, CONF_TOKEN: token})
            if not failure and entry.data[CONF_LOCAL] == local:
                return self._renew(entry, {**local, CONF_URL: url})
        return self.async_abort(reason=DONE)

    async def _is_new(self, found: NetworkAdvertisement) -> bool:
        """Return whether an advertisement is no old one that is sent again."""
        record = UpdateRecord(Path(self.hass.config.path(DOMAIN)) / RECORD_FILE)
        try:
            await self.hass.async_add_executor_job(
                lambda: found.check_new(record, now=self._seen_at)
            )
        except AddressUpdateError:
            return False
        return True

    def _ends_older_dialogs(self, found: NetworkAdvertisement) -> bool:
        """Close the dialogs of older addresses of a server; False: an open one is as good."""
        flows = self.hass.config_entries.flow
        where = {"addresses": found.addresses, "port": found.port}

        def is_same(other: ZeroconfServiceInfo) -> bool:
            return other.type == ADVERTISED_TYPE and other.properties.get("id") == found.id

        def is_older(other: ZeroconfServiceInfo) -> bool:
            said = {"addresses": other.properties.get("addresses"), "port": other.port}
            return is_same(other) and said != where and _time(other) < int(found.time)

        opened = flows.async_progress_by_init_data_type(ZeroconfServiceInfo, is_same)
        older = flows.async_progress_by_init_data_type(ZeroconfServiceInfo, is_older)
        if len(older) < len(opened):
            return False
        for dialog in older:
            flows.async_abort(dialog["flow_id"])
        return True

    # --- both ---------------------------------------------------------------------------------

    def _own_entry(self) -> ConfigEntry | None:
        """Return the only entry; None before the set-up. One that was ignored is none."""
        return next(iter(self._async_current_entries(include_ignore=False)), None)

    async def _use(self, local: Mapping[str, str]) -> ConfigFlowResult:
        """Make the app the local voice; Colab stays as it is."""
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


def _is_same_app(local: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    """Return whether the local voice is an app, also one that was entered by hand."""
    if CONF_APP in local:
        return cast("bool", local[CONF_APP] == found[CONF_APP])
    return all(local.get(key) == found[key] for key in (CONF_URL, CONF_TOKEN))


def _address(url: str) -> tuple[str, int | None]:
    """Return address and port of a URL; an empty address unless it is http:// with a number."""
    parts = URL(url)
    try:
        host = str(ipaddress.ip_address(parts.host or ""))
    except ValueError:
        host = ""
    return (host if parts.scheme == "http" else ""), parts.port


def _time(found: ZeroconfServiceInfo) -> int:
    """Return the time of an advertisement whose dialog is open, so that it was read before."""
    return int(found.properties["time"])


def _plain(name: str) -> str:
    """Return a stranger's name without what a dialog shows as a link, a picture or a form."""
    kept = (c for c in unicodedata.normalize("NFC", name) if c.isalnum() or c in " ,'-")
    return "".join(kept).strip()
