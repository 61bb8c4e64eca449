"""Config flow: set-up of the local voice and the server on Colab, and later changes of both."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import probatio as vol
from homeassistant.components import webhook
from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import callback
from homeassistant.helpers.network import NoURLAvailableError, get_url
from pydantic import ValidationError

from vieneu_core.credentials import new_auth_token
from vieneu_core.errors import VieneuError

from . import address_webhook, notebook_view
from .config_forms import (
    ADDRESS,
    CONF_DOMAIN_NAME,
    CONF_SAMPLES,
    CONF_TUNNEL,
    PLACEHOLDERS,
    SECRET,
    SERVER,
    notebook_form,
)
from .const import (
    CONF_COLAB,
    CONF_KIND,
    CONF_LOCAL,
    CONF_WEBHOOK,
    DOMAIN,
    LocalKind,
)
from .discovery_flow import DiscoveryFlow
from .error_translation import language_of
from .model_flow import ModelFlow
from .options_flow import VieneuOptionsFlow
from .runtime import embedded_voice, voice_catalogue
from .validation import Failure, stored_url, try_engine, verify


class VieneuConfigFlow(ModelFlow, DiscoveryFlow, domain=DOMAIN):
    """Sets up the only entry."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        self._token = new_auth_token()
        self._webhook_id = webhook.async_generate_id()
        self._notebook: notebook_view.Notebook | None = None
        self._waiting: asyncio.Task[str] | None = None
        self._paired_url = ""

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> VieneuOptionsFlow:
        """Return the flow of the options."""
        return VieneuOptionsFlow()

    # --- the menu -----------------------------------------------------------------------------

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose the voice; there is one entry at most."""
        if self._own_entry() is not None:
            return self.async_abort(reason="single_instance_allowed")
        return self.async_show_menu(
            step_id="user", menu_options=["embedded", "model", "server", "colab"]
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose what to change; a new address is the usual case."""
        options = ["paste", "colab", "embedded", "model", "server"]
        if CONF_COLAB in self._get_reconfigure_entry().data:
            options.append("remove_colab")
        return self.async_show_menu(step_id="reconfigure", menu_options=options)

    # --- the local voice ----------------------------------------------------------------------

    async def async_step_embedded(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Use the embedded voice."""
        failure = None
        if user_input is not None and not (
            failure := await try_engine(self.hass, embedded_voice(self.hass))
        ):
            return await self._save({CONF_LOCAL: {CONF_KIND: LocalKind.EMBEDDED.value}})
        return self._form("embedded", failure)

    async def async_step_server(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Use a VieNeu server on the home network."""
        failure = None
        if user_input is not None:
            given = {**user_input, CONF_URL: stored_url(user_input[CONF_URL])}
            if not (failure := await verify(self.hass, given)):
                return await self._save({CONF_LOCAL: {CONF_KIND: LocalKind.SERVER.value, **given}})
        return self._form("server", failure, SERVER, user_input)

    # --- Colab --------------------------------------------------------------------------------

    async def async_step_colab(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the settings of the notebook, which the next step offers."""
        failure = None
        if user_input is not None:
            choices = self._choices(user_input)
            try:
                self._notebook = await notebook_view.async_make(self.hass, choices)
            except ValidationError:  # of all inputs, only the domain can be invalid
                failure = Failure("invalid_notebook")
            except VieneuError as error:
                failure = await Failure.of(self.hass, "notebook_failed", error)
            else:
                return await self.async_step_notebook()
        own = await self.hass.async_add_executor_job(voice_catalogue(self.hass).voices)
        return self._form("colab", failure, notebook_form(own), user_input)

    async def async_step_remove_colab(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Remove the server on Colab, after a confirmation; the local voice stays."""
        if user_input is None:
            return self._form("remove_colab", None)
        return await self._save({CONF_COLAB: None, CONF_WEBHOOK: None})

    async def async_step_notebook(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the link to the notebook, and the next steps."""
        notebook = cast("notebook_view.Notebook", self._notebook)  # created in the step before
        ways = ["paste"]
        if notebook.settings.callback_url is not None:
            ways = ["wait", "paste"]
            self._wait_for_address()  # from now on: the notebook may run before the user goes on
        link = notebook_view.async_offer(self.hass, notebook)
        return self.async_show_menu(
            step_id="notebook",
            menu_options=ways,
            description_placeholders={**PLACEHOLDERS, "link": link},
        )

    async def async_step_wait(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Wait until the notebook's server sends its address. The user enters nothing."""
        waiting = self._wait_for_address()
        if not waiting.done():
            return self.async_show_progress(
                step_id="wait", progress_action="wait_for_notebook", progress_task=waiting
            )
        self._paired_url = waiting.result()
        return self.async_show_progress_done(next_step_id="paired")

    async def async_step_paired(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Save the address that was received."""
        colab = {CONF_URL: self._paired_url, CONF_TOKEN: self._token.get_secret_value()}
        return await self._save({CONF_COLAB: colab, CONF_WEBHOOK: self._webhook_id})

    def _wait_for_address(self) -> asyncio.Task[str]:
        if self._waiting is None:
            self._waiting = self.hass.async_create_background_task(
                self._address(), "vieneu-wait-for-notebook"
            )
        return self._waiting

    async def _address(self) -> str:
        """Return the first received and verified address."""
        verified: asyncio.Future[str] = self.hass.loop.create_future()
        address_webhook.async_register(self.hass, self._webhook_id, self._token, verified)
        url = await verified
        webhook.async_unregister(self.hass, self._webhook_id)
        return url

    @callback
    def async_remove(self) -> None:
        """Stop waiting when the flow ends."""
        waiting, self._waiting = self._waiting, None  # once: the entry takes the webhook's id over
        if waiting is not None and not waiting.done():
            waiting.cancel()
            webhook.async_unregister(self.hass, self._webhook_id)

    async def async_step_paste(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for address and token; a known token may be omitted."""
        failure, known = None, self._known_token()
        if user_input is not None:
            given = {
                CONF_URL: stored_url(user_input[CONF_URL]),
                CONF_TOKEN: user_input.get(CONF_TOKEN, known),
            }
            if not (failure := await verify(self.hass, given)):
                webhook_id = {CONF_WEBHOOK: self._webhook_id} if self._notebook else {}
                self.async_remove()  # the entry's own webhook has the same id
                return await self._save({CONF_COLAB: given, **webhook_id})
        token = vol.Optional(CONF_TOKEN) if known else vol.Required(CONF_TOKEN)
        schema = vol.Schema({vol.Required(CONF_URL): ADDRESS, token: SECRET})
        suggested = None if user_input is None else {CONF_URL: user_input[CONF_URL]}
        return self._form("paste", failure, schema, suggested)

    def _known_token(self) -> str:
        """Return the known token of the server; empty if there is none."""
        if self._notebook is not None:
            return self._token.get_secret_value()
        colab: Mapping[str, str] = self._get_reconfigure_entry().data.get(CONF_COLAB, {})
        return colab.get(CONF_TOKEN, "")

    def _choices(self, user_input: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of the notebook."""
        return {
            "language": language_of(self.hass),
            "tunnel": user_input[CONF_TUNNEL],
            "domain": user_input.get(CONF_DOMAIN_NAME) or None,
            CONF_SAMPLES: user_input.get(CONF_SAMPLES, ()),
            "token": self._token,
            "callback_url": self._callback_url(),
        }

    def _callback_url(self) -> str | None:
        """Return the webhook's public URL; None without a public https address."""
        try:
            base = get_url(self.hass, allow_internal=False, prefer_external=True, require_ssl=True)
        except NoURLAvailableError:
            return None
        return f"{base}{webhook.async_generate_path(self._webhook_id)}"
