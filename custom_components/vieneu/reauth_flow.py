"""Steps of the config flow for a token that a server does not accept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_TOKEN, CONF_URL

from vieneu_core.router import Mode

from .app_settings import async_current_settings
from .config_forms import TOKEN
from .const import CONF_APP, CONF_COLAB, CONF_LOCAL, CONF_REFUSED_BY
from .saving_flow import SavingFlow
from .validation import Failure, verify, verify_app


class ReauthFlow(SavingFlow):
    """Asks for the current token: an admin of a server's, Supervisor of the app's."""

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start the flow because a server does not accept the token."""
        if entry_data.get(CONF_REFUSED_BY) == Mode.LOCAL or CONF_COLAB not in entry_data:
            if CONF_APP in self._server(CONF_LOCAL):
                return await self.async_step_reauth_app()
            return await self.async_step_reauth_server()
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the current token of the server on Colab."""
        return await self._ask(CONF_COLAB, "reauth_confirm", user_input)

    async def async_step_reauth_server(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the current token of the server on the network."""
        return await self._ask(CONF_LOCAL, "reauth_server", user_input)

    async def async_step_reauth_app(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take the app's current token from Supervisor; where that fails, it is to be restarted."""
        app = self._server(CONF_LOCAL).get(CONF_APP, "")
        found = await async_current_settings(self.hass, app)
        failure = await verify_app(self.hass, found) if found else Failure("app_unknown")
        if self._server(CONF_LOCAL).get(CONF_APP) != app or not app:
            return self.async_abort(reason="server_removed")
        if found and not failure:
            return await self._save({CONF_LOCAL: found})
        return self._form("reauth_app", None if user_input is None else failure)

    async def _ask(
        self, key: str, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        failure = None
        if user_input is not None and CONF_URL in self._server(key):
            token = {CONF_TOKEN: user_input[CONF_TOKEN]}
            failure = await verify(self.hass, {**self._server(key), **token})
            # The current address: a new one may have been received meanwhile.
            if not failure and CONF_URL in (server := self._server(key)):
                return await self._save({key: {**server, **token}})
        if CONF_URL not in self._server(key):
            return self.async_abort(reason="server_removed")
        return self._form(step_id, failure, TOKEN)

    def _server(self, key: str) -> Mapping[str, Any]:
        """Return the current settings of a backend; those of a server have a URL."""
        server: Mapping[str, Any] = self._get_reauth_entry().data.get(key, {})
        return server
