"""Setting up, by hand: the local voice, the server on Colab, and later changes of both."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import voluptuous as vol
from homeassistant.components import webhook
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.requirements import RequirementsNotFound, async_process_requirements
from pydantic import SecretStr, ValidationError
from vieneu_core import __version__
from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.remote.endpoint import Endpoint
from vieneu_core.engines.availability import ENGINES
from vieneu_core.errors import (
    AuthenticationError,
    BackendDrainingError,
    BackendError,
    BackendLoadingError,
    ConfigurationError,
    NotVieneuServerError,
    ServerTooNewError,
    ServerTooOldError,
    TunnelError,
    VieneuError,
)
from vieneu_core.notebook import NotebookSettings, TunnelChoice
from vieneu_core.notebook.settings import new_token
from vieneu_core.pairing import look_at
from vieneu_core.synthesis import MAX_SPEED, MIN_SPEED
from vieneu_core.worker.spec import EngineSpec

from . import notebooks, pairing
from .const import (
    CONF_COLAB,
    CONF_ENGINE,
    CONF_ENGINE_OPTIONS,
    CONF_FALLBACK,
    CONF_KIND,
    CONF_LOCAL,
    CONF_PAUSE,
    CONF_SPEED,
    CONF_WEBHOOK,
    DEFAULT_PAUSE,
    DEFAULT_SPEED,
    DOMAIN,
    MAX_PAUSE,
    LocalKind,
)

TITLE = "VieNeu"
CONF_MODEL = "model"
CONF_TUNNEL = "tunnel"
CONF_DOMAIN_NAME = "domain"
MODEL_ENGINES = ("auto", "gguf", "pytorch", "sdk")
EXTRAS = {"gguf": "gguf-prebuilt", "pytorch": "torch", "sdk": "sdk", "espeak": "espeak"}

SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
ADDRESS = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
SERVER = vol.Schema({vol.Required(CONF_URL): ADDRESS, vol.Required(CONF_TOKEN): SECRET})
MODEL = vol.Schema(
    {
        vol.Required(CONF_ENGINE, default="auto"): SelectSelector(
            SelectSelectorConfig(options=list(MODEL_ENGINES), translation_key="engine")
        ),
        vol.Optional(CONF_MODEL): TextSelector(),
    }
)
NOTEBOOK = vol.Schema(
    {
        vol.Required(CONF_TUNNEL, default=TunnelChoice.NGROK.value): SelectSelector(
            SelectSelectorConfig(
                options=[TunnelChoice.NGROK.value, TunnelChoice.CLOUDFLARED.value],
                translation_key="tunnel",
            )
        ),
        vol.Optional(CONF_DOMAIN_NAME): TextSelector(),
    }
)


def error_key(error: VieneuError) -> str:
    """Return the key of the message that says what to do."""
    match error:
        case AuthenticationError():
            return "invalid_auth"
        case TunnelError():
            return "tunnel_offline"
        case ServerTooOldError():
            return "server_too_old"
        case ServerTooNewError():
            return "server_too_new"
        case NotVieneuServerError():
            return "not_vieneu_server"
        case BackendLoadingError():
            return "still_loading"
        case BackendDrainingError():
            return "draining"
        case BackendError():
            return "cannot_connect"
        case ConfigurationError():
            return "invalid_url"
    return "unknown"


class VieneuConfigFlow(ConfigFlow, domain=DOMAIN):
    """Sets up the one house."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        self._token = new_token()
        self._webhook_id = webhook.async_generate_id()
        self._notebook: NotebookSettings | None = None
        self._heard: asyncio.Future[str] | None = None
        self._waiting: asyncio.Task[str] | None = None

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> VieneuOptionsFlow:
        """Return the flow of the options."""
        return VieneuOptionsFlow()

    # --- the menu -----------------------------------------------------------------------------

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
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
        placeholders = {"detail": ""}
        if user_input is not None:
            local = {CONF_KIND: LocalKind.EMBEDDED.value}
            if failure := await self._try_engine(EngineSpec("espeak")):
                errors["base"], placeholders["detail"] = failure
            else:
                return await self._kept({CONF_LOCAL: local})
        return self.async_show_form(
            step_id="embedded", errors=errors, description_placeholders=placeholders
        )

    async def async_step_model(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take a VieNeu model on this machine; it is fetched when the house is set up."""
        errors: dict[str, str] = {}
        placeholders = {"detail": ""}
        if user_input is not None:
            engine = user_input[CONF_ENGINE]
            options = {"model": user_input[CONF_MODEL]} if user_input.get(CONF_MODEL) else {}
            if failure := await self._install(engine):
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

    async def async_step_server(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take a VieNeu server on the home network."""
        errors: dict[str, str] = {}
        placeholders = {"detail": ""}
        if user_input is not None:
            if failure := await self._look(user_input):
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

    async def async_step_colab(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how the notebook shall be; then it is offered."""
        errors: dict[str, str] = {}
        placeholders = {"detail": ""}
        if user_input is not None:
            try:
                self._notebook = self._notebook_of(user_input)
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]
                errors["base"], placeholders["detail"] = "invalid_notebook", first["msg"]
            else:
                return self._offered()
        return self.async_show_form(
            step_id="colab",
            data_schema=self.add_suggested_values_to_schema(NOTEBOOK, user_input),
            errors=errors,
            description_placeholders=placeholders,
        )

    def _offered(self) -> ConfigFlowResult:
        """Show the link to the notebook, and both ways on."""
        assert self._notebook is not None
        ways = ["wait", "paste"] if self._notebook.callback_url is not None else ["paste"]
        return self.async_show_menu(
            step_id="notebook",
            menu_options=ways,
            description_placeholders={"link": notebooks.async_offer(self.hass, self._notebook)},
        )

    async def async_step_notebook(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the link once more."""
        return self._offered()

    async def async_step_wait(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Wait for the notebook's server to announce itself. Nothing is typed."""
        if self._waiting is None:
            self._heard = self.hass.loop.create_future()
            pairing.async_register(self.hass, self._webhook_id, self._token, self._on_address)
            self._waiting = self.hass.async_create_task(self._address())
        if not self._waiting.done():
            return self.async_show_progress(
                step_id="wait", progress_action="wait_for_notebook", progress_task=self._waiting
            )
        return self.async_show_progress_done(next_step_id="paired")

    async def async_step_paired(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Keep the address that was announced."""
        assert self._waiting is not None
        colab = {CONF_URL: self._waiting.result(), CONF_TOKEN: self._token.get_secret_value()}
        return await self._kept({CONF_COLAB: colab, CONF_WEBHOOK: self._webhook_id})

    @callback
    def _on_address(self, url: str) -> None:
        if self._heard is not None and not self._heard.done():
            self._heard.set_result(url)

    async def _address(self) -> str:
        assert self._heard is not None
        try:
            return await self._heard
        finally:
            webhook.async_unregister(self.hass, self._webhook_id)

    @callback
    def async_remove(self) -> None:
        """The flow is over: nobody waits any more."""
        if self._waiting is not None:
            self._waiting.cancel()

    async def async_step_paste(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take address and token; a token that is already known may be left out."""
        errors: dict[str, str] = {}
        placeholders = {"detail": ""}
        known = self._known_token()
        if user_input is not None:
            given = {CONF_URL: user_input[CONF_URL], CONF_TOKEN: user_input.get(CONF_TOKEN, known)}
            if failure := await self._look(given):
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
        placeholders = {"detail": ""}
        colab = self._get_reauth_entry().data[CONF_COLAB]
        if user_input is not None:
            given = {CONF_URL: colab[CONF_URL], CONF_TOKEN: user_input[CONF_TOKEN]}
            if failure := await self._look(given):
                errors["base"], placeholders["detail"] = failure
            else:
                return await self._kept({CONF_COLAB: given})
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
            return self.async_update_reload_and_abort(entry, data={**entry.data, **changes})
        await self.async_set_unique_id(DOMAIN)
        self._abort_if_unique_id_configured()
        local = {CONF_LOCAL: {CONF_KIND: LocalKind.EMBEDDED.value}}
        return self.async_create_entry(title=TITLE, data={**local, **changes})

    def _known_token(self) -> str:
        """Return the token that the server has, as far as this side knows; empty is none."""
        if self._notebook is not None:
            return self._token.get_secret_value()
        if self.source == SOURCE_RECONFIGURE:
            colab: Mapping[str, str] = self._get_reconfigure_entry().data.get(CONF_COLAB, {})
            return colab.get(CONF_TOKEN, "")
        return ""

    def _notebook_of(self, user_input: dict[str, Any]) -> NotebookSettings:
        return NotebookSettings.model_validate(
            {
                "language": "vi" if self.hass.config.language.startswith("vi") else "en",
                "tunnel": user_input[CONF_TUNNEL],
                "domain": user_input.get(CONF_DOMAIN_NAME) or None,
                "token": self._token,
                "callback_url": self._callback_url(),
            }
        )

    def _callback_url(self) -> str | None:
        """Return where this house is reached from outside; None where it is not."""
        try:
            base = get_url(self.hass, allow_internal=False, prefer_external=True, require_ssl=True)
        except NoURLAvailableError:
            return None
        return f"{base}{webhook.async_generate_path(self._webhook_id)}"

    async def _look(self, given: Mapping[str, str]) -> tuple[str, str] | None:
        """Look at a server; return the message and the detail of what stands in the way."""
        try:
            Endpoint.of(given[CONF_URL], given[CONF_TOKEN])
            await look_at(
                given[CONF_URL],
                SecretStr(given[CONF_TOKEN]),
                session=async_get_clientsession(self.hass),
            )
        except VieneuError as error:
            return error_key(error), error.detail
        return None

    async def _install(self, engine: str) -> tuple[str, str] | None:
        """Install what an engine needs, as Home Assistant installs requirements."""
        wanted = "gguf" if engine == "auto" else engine
        needs = next(each for each in ENGINES if each.engine == wanted)
        if needs.installed:
            return None
        requirement = f"vieneu-core[{EXTRAS[wanted]}]=={__version__}"
        try:
            await async_process_requirements(self.hass, DOMAIN, [requirement])
        except RequirementsNotFound:
            return "engine_not_installed", requirement
        return None if needs.installed else ("engine_not_installed", requirement)

    async def _try_engine(self, spec: EngineSpec) -> tuple[str, str] | None:
        """Load an engine once, so that what is set up is known to speak."""
        if failure := await self._install(spec.target):
            return failure
        backend = LocalBackend(spec)
        try:
            await backend.load()
        except VieneuError as error:
            return "engine_failed", error.detail
        finally:
            await backend.aclose()
        return None


class VieneuOptionsFlow(OptionsFlow):
    """What can also be set by the entities of the device."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for all of it."""
        if user_input is not None:
            runtime = self.config_entry.runtime_data
            runtime.router.set_fallback(enabled=user_input[CONF_FALLBACK])
            return self.async_create_entry(data={**self.config_entry.options, **user_input})
        options = self.config_entry.options
        schema = vol.Schema(
            {
                vol.Required(
                    CONF_SPEED, default=options.get(CONF_SPEED, DEFAULT_SPEED)
                ): NumberSelector(
                    NumberSelectorConfig(min=MIN_SPEED, max=MAX_SPEED, step=0.05)
                ),
                vol.Required(
                    CONF_PAUSE, default=options.get(CONF_PAUSE, DEFAULT_PAUSE)
                ): NumberSelector(
                    NumberSelectorConfig(min=0, max=MAX_PAUSE, step=0.05, unit_of_measurement="s")
                ),
                vol.Required(
                    CONF_FALLBACK, default=options.get(CONF_FALLBACK, True)
                ): BooleanSelector(),
            }
        )
        return self.async_show_form(step_id="init", data_schema=schema)
