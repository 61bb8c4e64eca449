"""Administration of a running router: each choice is applied at once, and kept in the file.

The settings file is the one place of the admin's choices. Whoever changes it (this service, the
command ``vieneu``, an editor) is followed within a second, but for the folder and the size of the
speech cache: they hold from the next start on.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.builder import RouterBuilder
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.config import Settings, environment_overrides, load_settings, save_settings
from vieneu_core.credentials import parse_auth_token, parse_endpoint_url
from vieneu_core.errors import BackendNotConfiguredError, ConfigurationError, VieneuError
from vieneu_core.files import signature_of
from vieneu_core.pairing import rotate_saved_token, verify_server
from vieneu_core.router import LAST_RESORT, Mode, Router
from vieneu_core.text.watched_dictionary_file import DictionaryFile
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of

_LOGGER = logging.getLogger(__name__)
CHECK_EVERY_S = 0.5
"""Between two checks whether the settings file has changed."""
APPLY_WAIT_S = 0.5
"""How long a change waits for new backends to load; loading goes on afterwards."""


class Administration:
    """The admin's choices for one router.

    Args:
        router: Loaded and closed by whoever made it.
        builder: Made the router; makes its new parts.
        settings: Those of the router.
        path: The settings file.
        clock: Time.
    """

    def __init__(
        self,
        router: Router,
        builder: RouterBuilder,
        settings: Settings,
        path: Path,
        *,
        clock: Clock | None = None,
    ) -> None:
        self.router = router
        self.voices = builder.voices
        self.state_dir = builder.state_dir
        self._builder = builder
        self._settings = self._at_start = settings
        self.path = path
        self._clock = clock or SystemClock()
        self._changing = asyncio.Lock()
        self._replacing: set[asyncio.Task[None]] = set()
        self.settings_error: VieneuError | None = None
        """Why the file could not be taken over when it was last changed; the old settings hold."""

    @property
    def settings(self) -> Settings:
        """The settings that hold now. They contain the remote's token."""
        return self._settings

    @property
    def needs_restart(self) -> tuple[str, ...]:
        """Names of settings that hold from the next start on, because they have changed since."""
        before, now = self._at_start.cache, self._settings.cache
        changed = (name for name, value in now if value != getattr(before, name))
        return tuple(f"cache.{name}" for name in changed if name != "enabled")

    # --- choices of the admin ---------------------------------------------------------------

    async def set_mode(self, mode: Mode | str) -> None:
        """Send requests to the other backend from now on.

        Raises:
            BackendError: it is not ready; nothing has changed.
            ConfigurationError: there is no such mode, or it cannot be kept; nothing has changed.
        """
        async with self._changing:
            before = self.router.mode
            self.router.set_mode(mode)
            try:
                await self._save({"backend_mode": self.router.mode.value})
            except BaseException:
                self.router.set_mode(before, require_ready=False)
                raise

    async def connect(self, url: str, token: SecretStr | None = None) -> Health:
        """Verify a server, and use it as the remote from now on.

        Args:
            url: Of the server.
            token: Of the server; None is the one in the settings.

        Raises:
            BackendError: the server does not answer, refuses the token or is not ready; nothing
                has changed.
            ConfigurationError: URL or token cannot be used or kept; nothing has changed.
        """
        endpoint_url, chosen = self._server(url, token)
        self._refuse_overrides()
        health = await verify_server(endpoint_url, chosen)
        await self.keep(
            {
                "colab.enabled": True,
                "colab.endpoint_url": endpoint_url,
                "colab.auth_token": chosen,
            }
        )
        return health

    async def test_server(self, url: str, token: SecretStr | None = None) -> Health:
        """Verify a server as `connect` does, without using it; nothing changes.

        Raises:
            BackendError, ConfigurationError: as `connect`.
        """
        return await verify_server(*self._server(url, token))

    async def disconnect(self) -> None:
        """Remove the remote server and its token; requests go to the local backend.

        Raises:
            ConfigurationError: that cannot be kept; nothing has changed.
        """
        self._refuse_overrides()
        changes: dict[str, Any] = {"colab.enabled": False, "colab.auth_token": ""}
        if self._settings.backend_mode == Mode.REMOTE.value:
            changes["backend_mode"] = Mode.LOCAL.value
        await self.keep(changes)

    async def rotate_token(self) -> None:
        """Have the remote server make a new token, and keep it.

        Raises:
            BackendError: it did not; the current token stays.
            ConfigurationError: the new token could not be kept in the settings; the message says
                where it is.
        """
        colab = self._settings.colab
        if not colab.enabled:
            raise BackendNotConfiguredError("No server is connected.", backend=Mode.REMOTE.value)
        self._refuse_overrides()
        async with self._changing:
            try:
                await rotate_saved_token(self.path, colab.endpoint_url, colab.auth_token)
            finally:  # also a token that could only be rescued is used from now on
                await self._apply(await asyncio.to_thread(load_settings, self.path))

    # --- the settings file ------------------------------------------------------------------

    async def follow(self) -> None:
        """Take over each change of the settings file since it was read, until cancelled."""
        signature = await asyncio.to_thread(signature_of, self.path)
        await self.reload()  # it may have changed before the signature was taken
        while True:
            await self._clock.sleep(CHECK_EVERY_S)
            before, signature = signature, await asyncio.to_thread(signature_of, self.path)
            if signature != before:
                await self.reload()

    async def reload(self) -> None:
        """Read the file, and apply what has changed; a file that is wrong changes nothing."""
        async with self._changing:
            try:
                settings = await asyncio.to_thread(load_settings, self.path)
                await self._apply(settings)
            except VieneuError as error:
                self.settings_error = error
                _LOGGER.warning("The settings file was changed, but is not used: %s", error)
            else:
                self.settings_error = None

    async def keep(self, changes: dict[str, Any]) -> None:
        """Write some settings, by dotted name, and apply them.

        Raises:
            ConfigurationError: they cannot be kept; nothing has changed.
        """
        async with self._changing:
            await self._save(changes)

    async def aclose(self) -> None:
        """Wait for backends that are still being replaced; called once the router is closed."""
        await asyncio.gather(*self._replacing, return_exceptions=True)

    async def _save(self, changes: dict[str, Any]) -> None:
        await asyncio.to_thread(save_settings, changes, self.path)
        await self._apply(await asyncio.to_thread(load_settings, self.path))

    async def _apply(self, new: Settings) -> None:
        """Bring the router from the settings so far to new ones."""
        # Made before anything changes: a URL that cannot be used is refused as a whole.
        replacements = self._builder.replacements(self._settings, new)
        dictionary = DictionaryFile.named(new.text.dictionary)
        renamed = new.text.dictionary != self._settings.text.dictionary
        self._settings = new
        self._builder.set_quota(new)
        self.router.set_policy(self._builder.policy(new))
        if renamed:
            await self.router.reading.use(dictionary)
        if new.mode == Mode.LOCAL.value:
            self._take_over_mode()
        await self._in_background(self._replace(*each) for each in replacements.items())
        self._take_over_mode()

    async def _replace(self, name: str, backend: Backend | None) -> None:
        if name == Mode.REMOTE.value:
            await self.router.set_remote(backend)
        elif name == LAST_RESORT:
            await self.router.set_last_resort(backend)
        elif backend is not None:
            await self.router.set_local(backend)
        self._take_over_mode()

    def _take_over_mode(self) -> None:
        """Choose the backend of the settings, where it is set up already."""
        if self._settings.mode in self._configured():
            self.router.set_mode(self._settings.mode, require_ready=False)

    def _server(self, url: str, token: SecretStr | None) -> tuple[str, SecretStr]:
        """Return URL and token of a server after a check of both.

        Raises:
            ConfigurationError: one of them cannot be used.
        """
        try:
            endpoint_url = parse_endpoint_url(url)
            return endpoint_url, parse_auth_token(token or self._settings.colab.auth_token)
        except ValueError as error:
            raise ConfigurationError(
                Translatable("The server cannot be used: {reason}.", reason=reason_of(error)),
                remedy="Copy URL and token as the server shows them.",
            ) from None

    def _configured(self) -> set[str]:
        """Return the names of the backends that are set up."""
        absent = BackendState.NOT_CONFIGURED
        return {each.name for each in self.router.status().backends if each.state is not absent}

    async def _in_background(self, replacing: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Replace backends; wait a moment for them, not for a model that loads for minutes.

        A later replacement of the same backend ends the wait of an earlier one.
        """
        tasks = {asyncio.create_task(each, name="replace-backend") for each in replacing}
        for task in tasks:
            self._replacing.add(task)
            task.add_done_callback(self._replacing.discard)
        if tasks:
            done, _ = await asyncio.wait(tasks, timeout=APPLY_WAIT_S)
            for task in done:
                task.result()

    def _refuse_overrides(self) -> None:
        """Refuse to keep what the environment would override.

        Raises:
            ConfigurationError: URL or token come from environment variables.
        """
        if environment_overrides(os.environ):
            raise ConfigurationError(
                "URL and token of the server come from environment variables, which would win.",
                remedy="Unset COLAB_ENDPOINT_URL and COLAB_AUTH_TOKEN, and start the relay again.",
            )
