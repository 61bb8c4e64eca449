"""Setting up, by hand: the local voice, the server on Colab, and later changes of both."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import probatio as vol
from homeassistant.components import webhook
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import callback
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from pydantic import ValidationError

from vieneu_core.credentials import new_auth_token
from vieneu_core.engines.registry import MODEL_ENGINES
from vieneu_core.errors import VieneuError
from vieneu_core.notebook import TunnelKind
from vieneu_core.router import Mode
from vieneu_core.worker.spec import EngineSpec

from . import notebook_view, pairing
from .const import (
    CONF_COLAB,
    CONF_ENGINE,
    CONF_ENGINE_OPTIONS,
    CONF_KIND,
    CONF_LOCAL,
    CONF_MODE,
    CONF_WEBHOOK,
    DOMAIN,
    LocalKind,
)
from .error_translation import language_of, translated_error
from .options_flow import VieneuOptionsFlow
from .validation import install, try_engine, verify

TITLE = "VieNeu"
CONF_MODEL = "model"
CONF_TUNNEL = "tunnel"
CONF_DOMAIN_NAME = "domain"

SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
ADDRESS = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
SERVER = vol.Schema({vol.Required(CONF_URL): ADDRESS, vol.Required(CONF_TOKEN): SECRET})
MODEL = vol.Schema(
    {
        vol.Required(CONF_ENGINE, default="auto"): SelectSelector(
            SelectSelectorConfig(options=sorted(MODEL_ENGINES), translation_key="engine")
        ),
        vol.Optional(CONF_MODEL): TextSelector(),
    }
)
NOTEBOOK = vol.Schema(
    {
        vol.Required(CONF_TUNNEL, default=TunnelKind.NGROK.value): SelectSelector(
            SelectSelectorConfig(
                options=[TunnelKind.NGROK.value, TunnelKind.CLOUDFLARED.value],
                translation_key="tunnel",
            )
        ),
        vol.Optional(CONF_DOMAIN_NAME): TextSelector(),
    }
)


PLACEHOLDERS = {
    "detail": "",
    "remedy": "",
    "example": "https://abc.ngrok-free.app",
    "colab": "https://colab.research.google.com",
}
"""Of all forms. What the error is, and addresses, which Home Assistant wants in no translation."""


def _options(engine: str, model: str | None) -> dict[str, Any]:
    """Return the options of an engine for a model; ``auto`` takes those of each engine."""
    options = {"model": model} if model else {}
    return {"gguf": options} if engine == "auto" and options else options


class VieneuConfigFlow(ConfigFlow, domain=DOMAIN):
    """Sets up the one house."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        self._token = new_auth_token()
        self._webhook_id = webhook.async_generate_id()
        self._notebook: notebook_view.Notebook | None = None
        self._waiting: asyncio.Task[str] | None = None
        self._announced = ""

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> VieneuOptionsFlow:
        """Return the flow of the options."""
        return VieneuOptionsFlow()

    # --- the menu -----------------------------------------------------------------------------

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which voice."""
        return self.async_show_menu(
            step_id="user", menu_options=["embedded", "model", "server", "colab"]
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what shall change; a new address is the daily case."""
        return self.async_show_menu(
            step_id="reconfigure", menu_options=["paste", "colab", "embedded", "model", "server"]
        )

    # --- the local voice ----------------------------------------------------------------------

    async def async_step_embedded(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take the small voice that comes with the core."""
        errors: dict[str, str] = {}
        placeholders = dict(PLACEHOLDERS)
        if user_input is not None:
            local = {CONF_KIND: LocalKind.EMBEDDED.value}
            if failure := await try_engine(self.hass, EngineSpec("espeak")):
                errors["base"], placeholders["detail"] = failure
            else:
                return await self._kept({CONF_LOCAL: local})
        return self.async_show_form(
            step_id="embedded", errors=errors, description_placeholders=placeholders
        )

    async def async_step_model(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take a VieNeu model on this machine; it is fetched when the house is set up."""
        errors: dict[str, str] = {}
        placeholders = dict(PLACEHOLDERS)
        if user_input is not None:
            engine = user_input[CONF_ENGINE]
            options = _options(engine, user_input.get(CONF_MODEL))
            if failure := await install(self.hass, engine):
                errors["base"], placeholders["detail"] = failure
            else:
                local = {
                    CONF_KIND: LocalKind.MODEL.value,
                    CONF_ENGINE: engine,
                    CONF_ENGINE_OPTIONS: options,
                }
                return await self._kept({CONF_LOCAL: local})
        return self.async_show_form(
            step_id="model",
            data_schema=self.add_suggested_values_to_schema(MODEL, user_input),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_server(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take a VieNeu server on the home network."""
        errors: dict[str, str] = {}
        placeholders = dict(PLACEHOLDERS)
        if user_input is not None:
            if failure := await verify(self.hass, user_input):
                errors["base"], placeholders["detail"] = failure
            else:
                local = {CONF_KIND: LocalKind.SERVER.value, **user_input}
                return await self._kept({CONF_LOCAL: local})
        return self.async_show_form(
            step_id="server",
            data_schema=self.add_suggested_values_to_schema(SERVER, user_input),
            errors=errors,
            description_placeholders=placeholders,
        )

    # --- Colab --------------------------------------------------------------------------------

    async def async_step_colab(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how the notebook shall be; then it is offered."""
        errors: dict[str, str] = {}
        placeholders = dict(PLACEHOLDERS)
        if user_input is not None:
            choices = self._choices(user_input)
            try:
                self._notebook = await self.hass.async_add_executor_job(
                    notebook_view.Notebook.of, choices
                )
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]
                errors["base"], placeholders["detail"] = "invalid_notebook", first["msg"]
            except VieneuError as error:
                errors["base"] = "notebook_failed"
                placeholders |= translated_error(error, language_of(self.hass))
            else:
                return await self.async_step_notebook()
        return self.async_show_form(
            step_id="colab",
            data_schema=self.add_suggested_values_to_schema(NOTEBOOK, user_input),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_notebook(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the link to the notebook, and the ways on from there."""
        notebook = cast("notebook_view.Notebook", self._notebook)  # the step before has made it
        ways = ["wait", "paste"] if notebook.settings.callback_url is not None else ["paste"]
        link = notebook_view.async_offer(self.hass, notebook)
        return self.async_show_menu(
            step_id="notebook",
            menu_options=ways,
            description_placeholders={**PLACEHOLDERS, "link": link},
        )

    async def async_step_wait(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Wait for the notebook's server to announce itself. Nothing is typed."""
        if self._waiting is None:
            self._waiting = self.hass.async_create_background_task(
                self._address(), "vieneu-wait-for-notebook"
            )
        if not self._waiting.done():
            return self.async_show_progress(
                step_id="wait", progress_action="wait_for_notebook", progress_task=self._waiting
            )
        self._announced = self._waiting.result()
        return self.async_show_progress_done(next_step_id="paired")

    async def async_step_paired(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Keep the address that was announced."""
        colab = {CONF_URL: self._announced, CONF_TOKEN: self._token.get_secret_value()}
        return await self._kept({CONF_COLAB: colab, CONF_WEBHOOK: self._webhook_id})

    async def _address(self) -> str:
        """Return the first address that is announced, and proves good."""
        heard: asyncio.Future[str] = self.hass.loop.create_future()
        pairing.async_register(self.hass, self._webhook_id, self._token, heard)
        try:
            return await heard
        finally:
            webhook.async_unregister(self.hass, self._webhook_id)

    @callback
    def async_remove(self) -> None:
        """The flow is over: nobody waits any more."""
        if self._waiting is not None:
            self._waiting.cancel()

    async def async_step_paste(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take address and token; a token that is already known may be left out."""
        errors: dict[str, str] = {}
        placeholders = dict(PLACEHOLDERS)
        known = self._known_token()
        if user_input is not None:
            given = {CONF_URL: user_input[CONF_URL], CONF_TOKEN: user_input.get(CONF_TOKEN, known)}
            if failure := await verify(self.hass, given):
                errors["base"], placeholders["detail"] = failure
            else:
                webhook_id = {CONF_WEBHOOK: self._webhook_id} if self._notebook else {}
                return await self._kept({CONF_COLAB: given, **webhook_id})
        token = vol.Optional(CONF_TOKEN) if known else vol.Required(CONF_TOKEN)
        schema = vol.Schema({vol.Required(CONF_URL): ADDRESS, token: SECRET})
        suggested = None if user_input is None else {CONF_URL: user_input[CONF_URL]}
        return self.async_show_form(
            step_id="paste",
            data_schema=self.add_suggested_values_to_schema(schema, suggested),
            errors=errors,
            description_placeholders=placeholders,
        )

    # --- the token is refused -----------------------------------------------------------------

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """The server does not take the token any more."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take the present one."""
        errors: dict[str, str] = {}
        placeholders = dict(PLACEHOLDERS)
        colab = self._get_reauth_entry().data[CONF_COLAB]
        if user_input is not None:
            given = {CONF_URL: colab[CONF_URL], CONF_TOKEN: user_input[CONF_TOKEN]}
            if failure := await verify(self.hass, given):
                errors["base"], placeholders["detail"] = failure
            else:
                # The address as it is now: a new one may have been announced meanwhile.
                now = self._get_reauth_entry().data[CONF_COLAB]
                return await self._kept({CONF_COLAB: {**now, CONF_TOKEN: given[CONF_TOKEN]}})
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=vol.Schema({vol.Required(CONF_TOKEN): SECRET}),
            errors=errors,
            description_placeholders=placeholders,
        )

    # --- inside -------------------------------------------------------------------------------

    async def _kept(self, changes: dict[str, Any]) -> ConfigFlowResult:
        """Create the entry, or change the one that is there."""
        if self.source in {SOURCE_REAUTH, SOURCE_RECONFIGURE}:
            entry = (
                self._get_reauth_entry()
                if self.source == SOURCE_REAUTH
                else self._get_reconfigure_entry()
            )
            data = {**entry.data, **changes}
            is_loaded = entry.state is ConfigEntryState.LOADED
            if is_loaded and data == dict(entry.data):
                entry.runtime_data.async_check_remote_now()
            done = self.async_update_and_abort(entry, data=data)
            if not is_loaded:
                # By hand: `async_update_reload_and_abort` is not for entries with a listener, and a
                # reload that is under way may still have one.
                self.hass.config_entries.async_schedule_reload(entry.entry_id)
            return done
        await self.async_set_unique_id(DOMAIN)
        self._abort_if_unique_id_configured()
        local = {CONF_LOCAL: {CONF_KIND: LocalKind.EMBEDDED.value}}
        # Who begins with Colab wants to hear Colab.
        mode = Mode.REMOTE if CONF_COLAB in changes else Mode.LOCAL
        return self.async_create_entry(
            title=TITLE, data={**local, **changes}, options={CONF_MODE: mode.value}
        )

    def _known_token(self) -> str:
        """Return the token that the server has, as far as this side knows; empty is none."""
        if self._notebook is not None:
            return self._token.get_secret_value()
        colab: Mapping[str, str] = self._get_reconfigure_entry().data.get(CONF_COLAB, {})
        return colab.get(CONF_TOKEN, "")

    def _choices(self, user_input: dict[str, Any]) -> dict[str, Any]:
        """Return what the notebook is made from."""
        return {
            "language": language_of(self.hass),
            "tunnel": user_input[CONF_TUNNEL],
            "domain": user_input.get(CONF_DOMAIN_NAME) or None,
            "token": self._token,
            "callback_url": self._callback_url(),
        }

    def _callback_url(self) -> str | None:
        """Return where this house is reached from outside; None where it is not."""
        try:
            base = get_url(self.hass, allow_internal=False, prefer_external=True, require_ssl=True)
        except NoURLAvailableError:
            return None
        return f"{base}{webhook.async_generate_path(self._webhook_id)}"
