"""Tunnel by ngrok's agent as a program of its own, through the package pyngrok.

pyngrok downloads an agent where there is none, over HTTPS and without a checksum: ngrok publishes
none. The agent reads the authtoken from a file of this user only, because every process of a
machine can read arguments. It ends with this process: `agent_parent`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from vieneu_colab_server.tunnels.agent_parent import (
    script_that_ends_with_parent,
    why_not_started,
)
from vieneu_colab_server.tunnels.errors import (
    TunnelOpenError,
    TunnelProgramError,
)
from vieneu_colab_server.tunnels.ngrok_errors import HIDDEN, START_TIMEOUT_S, late, refusal
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import MissingExtraError
from vieneu_core.translatable import Translatable

_MOST_STARTS = 3
ALIVE_EVERY_S, LISTED_EVERY_S = 1.0, 15.0
_LOGGERS = ("pyngrok.ngrok", "pyngrok.process", "pyngrok.process.ngrok")


class PyngrokTunnel:
    """A tunnel of an ngrok account, by the agent.

    Args:
        authtoken: Authtoken of the account.
        domain: A domain of the account; None means its dev domain, on a free plan the only one.
        program: Path of the agent; None searches PATH, and else uses the one of pyngrok,
            which downloads it if necessary.
        clock: Clock of the time limits.
        start_timeout_s: Time limit for the agent to connect, in seconds.

    Raises:
        MissingExtraError: pyngrok is not installed.
    """

    name = "pyngrok"

    def __init__(
        self,
        authtoken: SecretStr,
        *,
        domain: str | None = None,
        program: Path | None = None,
        clock: Clock | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        self._ngrok, self._process = _library()
        self._authtoken = authtoken
        self._domain = domain
        self._program = program
        self._clock = clock or SystemClock()
        self._start_timeout_s = start_timeout_s
        self._folder: Path | None = None
        self._config: Any = None
        self._url = ""
        self._secret_filter = _SecretFilter(authtoken)
        self._given_up = False
        self._starter: ThreadPoolExecutor | None = None
        """The one thread that starts the agent; the agent ends with it."""

    async def open(self, port: int) -> str:
        """Start the agent and open an endpoint; see `Tunnel.open`."""
        await self.close()
        self._given_up = False
        self._secret_filter.begin()
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="vieneu-pyngrok")
        loop = asyncio.get_running_loop()
        connecting = asyncio.ensure_future(loop.run_in_executor(self._starter, self._start, port))
        try:
            done, _ = await asyncio.wait({connecting}, timeout=self._start_timeout_s)
            self._url = self._url_of(connecting if done else None)
        except BaseException:
            self._given_up = True
            self._kill_agent()  # its log is read without a time limit: this ends the reading
            await asyncio.wait({connecting})
            await self.close()
            raise
        return self._url

    def _url_of(self, connected: asyncio.Future[Any] | None) -> str:
        if connected is None:
            raise late(self._start_timeout_s)
        return str(connected.result().public_url)

    async def lost(self) -> str:
        """Wait until the agent ends, or has lost the endpoint; see `Tunnel.lost`."""
        listed_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(ALIVE_EVERY_S)
            agent = self._agent()
            if agent is None:
                return Translatable("The ngrok agent has ended.")
            if self._clock.monotonic() - listed_at >= LISTED_EVERY_S:
                listed_at = self._clock.monotonic()
                if not await asyncio.to_thread(self._is_listed, agent):
                    return Translatable("The ngrok agent no longer has the endpoint.")

    async def close(self) -> None:
        """End the agent, and delete its configuration file."""
        if self._config is not None:
            await asyncio.to_thread(self._ngrok.kill, self._config)
            self._config = None
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._folder = None
        if self._starter is not None:
            await asyncio.to_thread(self._starter.shutdown)
            self._starter = None
        self._secret_filter.end()

    def _start(self, port: int) -> Any:
        """Configure and start the agent, and open an endpoint. Blocking.

        pyngrok can notice the agent's end before it has read the agent's last lines, which contain
        the reason. Then the agent is started again.

        Raises:
            TunnelOpenError: the agent failed.
        """
        try:
            self._config = self._configured()
        except OSError as error:
            raise TunnelProgramError(
                Translatable(
                    "The settings of the ngrok agent cannot be written: {error}.",
                    error=error.strerror,
                ),
                remedy="Set TMPDIR to a folder that can be written.",
            ) from error
        for _ in range(_MOST_STARTS - 1):
            try:
                return self._connect_once(port)
            except _NoReasonError:
                if self._given_up:
                    raise
        return self._connect_once(port)

    def _configured(self) -> Any:
        """Return pyngrok's configuration, for an agent that ends with this process."""
        conf = import_module("pyngrok.conf")
        self._folder = Path(tempfile.mkdtemp(prefix="vieneu-ngrok-"))
        path = self._folder / "ngrok.yml"
        path.touch(mode=0o600)
        agent = {"authtoken": self._authtoken.get_secret_value(), "update_check": False}
        path.write_text(json.dumps({"version": "3", "agent": agent}), "utf-8")
        script = script_that_ends_with_parent(self._found(str(path)), self._folder)
        config = conf.PyngrokConfig(
            ngrok_path=str(script),
            config_path=str(path),
            startup_timeout=round(self._start_timeout_s),
            start_new_session=True,  # Ctrl-C goes to this process only, which ends it in order
        )
        config.auth_token = None  # pyngrok would copy it from the environment into the arguments
        return config

    def _found(self, config_path: str) -> str:
        """Return the path of the agent; let pyngrok download one where there is none."""
        if self._program is not None:
            if not self._program.is_file():
                raise TunnelProgramError("There is no ngrok agent at the path that was named.")
            return str(self._program)
        found = shutil.which("ngrok")
        if found is None:
            config = import_module("pyngrok.conf").PyngrokConfig(config_path=config_path)
            found = str(config.ngrok_path)
            try:
                self._ngrok.install_ngrok(config)
            except import_module("pyngrok.exception").PyngrokError as error:
                raise TunnelProgramError(
                    "The ngrok agent cannot be downloaded.",
                    remedy="Check the network, or name the path of an ngrok agent.",
                ) from error
        return found

    def _connect_once(self, port: int) -> Any:
        errors: Any = import_module("pyngrok.exception")
        options = {} if self._domain is None else {"url": f"https://{self._domain}"}
        try:
            return self._ngrok.connect(str(port), pyngrok_config=self._config, **options)
        except errors.PyngrokNgrokHTTPError as error:
            raise refusal(f"{error} {error.body}", self._authtoken) from None
        except errors.PyngrokError as error:
            raise self._tunnel_error(error) from None
        except OSError as error:
            raise _not_run(error.strerror) from error

    def _tunnel_error(self, error: Any) -> TunnelOpenError:
        why = getattr(error, "ngrok_error", None)
        logs = getattr(error, "ngrok_logs", None) or []
        not_started = why_not_started(" ".join(log.line for log in logs))
        if not_started:
            return _not_run(not_started)
        if why is None and "unable to start" in str(error):
            return _NoReasonError("The ngrok agent ended without a reason.")
        return refusal(f"{error} {why or ''}", self._authtoken)

    def _agent(self) -> Any:
        """Return pyngrok's record of the running agent, or None."""
        if self._config is None:
            return None
        # pyngrok's public function would start another agent.
        found = self._process._current_processes.get(self._config.ngrok_path)  # noqa: SLF001 - see above
        return found if found is not None and found.proc.poll() is None else None

    def _kill_agent(self) -> None:
        agent = self._agent()
        if agent is not None:
            agent.proc.kill()

    def _is_listed(self, agent: Any) -> bool:
        try:
            answer = self._ngrok.api_request(f"{agent.api_url}/api/endpoints", timeout=4)
        except Exception:  # noqa: BLE001 - a busy agent: its end is seen by itself
            return True
        listed = answer.get("endpoints") or answer.get("tunnels") or []
        return any(self._url in {each.get("url"), each.get("public_url")} for each in listed)


class _NoReasonError(TunnelOpenError):
    """The agent ended without a reason in its output."""


def _not_run(reason: str | None) -> TunnelProgramError:
    return TunnelProgramError(
        Translatable("The ngrok agent does not run here: {error}.", error=reason or "")
    )


class _SecretFilter(logging.Filter):
    """Removes a secret from pyngrok's log."""

    def __init__(self, secret: SecretStr) -> None:
        super().__init__()
        self._secret = secret

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the secret in a log record."""
        record.msg = record.getMessage().replace(self._secret.get_secret_value(), HIDDEN)
        record.args = ()
        return True

    def begin(self) -> None:
        """Start filtering."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def end(self) -> None:
        """Stop filtering."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)


def _library() -> tuple[Any, Any]:
    try:
        return import_module("pyngrok.ngrok"), import_module("pyngrok.process")
    except ImportError as error:
        raise MissingExtraError(
            "The tunnel pyngrok", "ngrok", package="vieneu-colab-server"
        ) from error
