"""A relay in this process on a real socket, with a settings file, and its admin."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
from guard import GUARD_S
from pydantic import SecretStr
from server_site import TOKEN
from waiting import until

from vieneu_colab_server.launch import DrainingServer, build_server
from vieneu_colab_server.listening_port import open_port, url_of
from vieneu_colab_server.relay.administration import Administration
from vieneu_colab_server.relay.app import RelayParts, create_relay_app
from vieneu_colab_server.relay.ingress import Ingress
from vieneu_colab_server.relay.login import AdminAccount
from vieneu_colab_server.relay.speak.ended_sessions import EndedSessions
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.builder import RouterBuilder
from vieneu_core.clock import SystemClock
from vieneu_core.config import load_settings
from vieneu_core.router import Router

WITH_LAST_RESORT = "local:\n  engine: tone_engine:create\n"
"""Settings file whose local voice is heard as tones, and the rest as it is by default."""
TONES = f"fallback:\n  enabled: false\n{WITH_LAST_RESORT}"
"""The same with one worker instead of two: without the last resort, which takes longer to start."""
CLONED_HZ = 4_500
"""By so much the voice of a recording is above all others."""
CLONING = f"{WITH_LAST_RESORT}  options:\n    clones: true\n    cloned_hz: {CLONED_HZ}\n"
"""Settings file whose local voice speaks with the voice of a recording, too."""


@dataclass
class RelaySite:
    """A relay that runs in this process, and a client with the admin token."""

    url: str
    session: aiohttp.ClientSession
    server: DrainingServer
    administration: Administration
    account: AdminAccount
    admin_token: str
    config: Path
    task: asyncio.Task[None]

    def api(
        self, method: str, path: str, **kwargs: Any
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self.session.request(method, f"{self.url}/relay/api{path}", **kwargs)

    async def call(self, method: str, path: str, status: int = 200, **kwargs: Any) -> Any:
        """Return the JSON of an answer, after a look at its status."""
        async with self.api(method, path, **kwargs) as response:
            text = await response.text()
            assert response.status == status, text
            assert TOKEN not in text
            return await response.json(content_type=None) if text else None

    async def until_status(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        while not condition(status := await self.call("GET", "/status")):  # noqa: ASYNC110 - as a page does
            await asyncio.sleep(0.02)
        return status  # type: ignore[no-any-return]


@asynccontextmanager
async def relaying(
    folder: Path,
    settings: str = TONES,
    *,
    router: Router | None = None,
    ingress: Ingress | None = None,
    **limits: Any,
) -> AsyncIterator[RelaySite]:
    """Serve a relay; its router is that of its settings, unless one is given."""
    config = folder / "config.yaml"
    if not config.exists():
        config.write_text(settings, "utf-8")
    given = ServerSettings(token=SecretStr(TOKEN), port=0, **limits)
    chosen = load_settings(config)
    builder = RouterBuilder(chosen, state_dir=folder, voices_dir=folder / "voices")
    administration = Administration(router or builder.router(chosen), builder, chosen, config)
    account = AdminAccount(folder / "relay-admin.json", clock=SystemClock())
    token = (account.open() or account.new_token()).get_secret_value()
    parts = RelayParts(
        administration=administration,
        account=account,
        jobs_folder=folder / "jobs",
        ended_sessions=EndedSessions(folder / "ended-sessions.json", SystemClock()),
        ingress=ingress,
    )
    # A speech cache that no settings name is not the user's own.
    with patch.dict(os.environ, {"XDG_CACHE_HOME": str(folder / "cache")}):
        app = create_relay_app(given, parts)
    server = build_server(app, given)
    with ExitStack() as opened:
        listener = opened.enter_context(open_port(given))
        listeners = [listener]
        if ingress is not None:
            more = given.model_copy(update={"port": ingress.port})
            listeners.append(opened.enter_context(open_port(more)))
        task = asyncio.create_task(server.serve(sockets=listeners))
        headers, url = {"Authorization": f"Bearer {token}"}, url_of(listener)
        try:
            async with asyncio.timeout(GUARD_S), aiohttp.ClientSession(headers=headers) as session:
                await until(lambda: server.started)
                await until(lambda: not app.state.service.lifecycle.loading)
                yield RelaySite(url, session, server, administration, account, token, config, task)
        finally:
            server.stop()
            async with asyncio.timeout(GUARD_S):
                await task
