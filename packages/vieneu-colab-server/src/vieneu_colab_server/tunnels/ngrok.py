"""Tunnel by ngrok's agent, through the package pyngrok, and the mapping of its errors.

Codes: https://ngrok.com/docs/errors. The agent reads the authtoken from a file of this user only,
because every process of a machine can read arguments.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from vieneu_colab_server.tunnels.errors import (
    AuthtokenRefusedError,
    DomainRefusedError,
    SecondAgentError,
    TunnelNetworkError,
    TunnelOpenError,
    TunnelProgramError,
    TunnelQuotaUsedError,
    TunnelTimeoutError,
)
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import MissingExtraError
from vieneu_core.translatable import Translatable

START_TIMEOUT_S = 60.0
_MOST_STARTS = 3
_HIDDEN = "•••"
ALIVE_EVERY_S, LISTED_EVERY_S = 1.0, 15.0
_LOGGERS = ("pyngrok.ngrok", "pyngrok.process", "pyngrok.process.ngrok")
_MEANING: dict[str, type[TunnelOpenError]] = {
    "ERR_NGROK_105": AuthtokenRefusedError,
    "ERR_NGROK_106": AuthtokenRefusedError,
    "ERR_NGROK_107": AuthtokenRefusedError,
    "ERR_NGROK_4018": AuthtokenRefusedError,
    "ERR_NGROK_108": SecondAgentError,
    "ERR_NGROK_319": DomainRefusedError,
    "ERR_NGROK_320": DomainRefusedError,
    "ERR_NGROK_334": DomainRefusedError,
    "ERR_NGROK_324": TunnelQuotaUsedError,
    "ERR_NGROK_725": TunnelQuotaUsedError,
    "ERR_NGROK_727": TunnelQuotaUsedError,
}
_UNREACHED = ("no such host", "dial tcp", "i/o timeout", "network is unreachable", "failed to dial")


class NgrokTunnel:
    """A tunnel of an ngrok account.

    Args:
        authtoken: Authtoken of the account.
        domain: A reserved domain, so that the URL never changes; None means a new one each time.
        program: Path of the agent; None searches PATH, and else uses the one of pyngrok,
            which downloads it if necessary.
        clock: Clock of the time limits.
        start_timeout_s: Time limit for the agent to connect, in seconds.

    Raises:
        MissingExtraError: pyngrok is not installed.
    """

    name = "ngrok"

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

    async def open(self, port: int) -> str:
        """Start the agent and open an endpoint; see `Tunnel.open`."""
        await self.close()
        self._given_up = False
        self._secret_filter.begin()
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
        connecting = asyncio.create_task(asyncio.to_thread(self._connect, port))
        done, _ = await asyncio.wait({connecting}, timeout=self._start_timeout_s)
        if not done:
            self._given_up = True
            self._kill_agent()  # its log is read without a time limit: this ends the reading
            await asyncio.wait({connecting})
        try:
            self._url = str(connecting.result().public_url)
        except TunnelOpenError as error:
            await self.close()
            if not done:
                raise TunnelTimeoutError(
                    Translatable(
                        "The ngrok agent was not connected after {start_timeout_s:g} s.",
                        start_timeout_s=self._start_timeout_s,
                    )
                ) from error
            raise
        return self._url

    async def lost(self) -> str:
        """Wait until the agent ends, or has lost the endpoint; see `Tunnel.lost`."""
        listed_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(ALIVE_EVERY_S)
            agent = self._agent()
            if agent is None:
                return "The ngrok agent has ended."
            if self._clock.monotonic() - listed_at >= LISTED_EVERY_S:
                listed_at = self._clock.monotonic()
                if not await asyncio.to_thread(self._is_listed, agent):
                    return "The ngrok agent no longer has the endpoint."

    async def close(self) -> None:
        """End the agent, and delete its configuration file."""
        if self._config is not None:
            await asyncio.to_thread(self._ngrok.kill, self._config)
            self._config = None
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._folder = None
        self._secret_filter.end()

    def _configured(self) -> Any:
        self._folder = Path(tempfile.mkdtemp(prefix="vieneu-ngrok-"))
        path = self._folder / "ngrok.yml"
        path.touch(mode=0o600)
        agent = {"authtoken": self._authtoken.get_secret_value(), "update_check": False}
        path.write_text(json.dumps({"version": "3", "agent": agent}), "utf-8")
        config = import_module("pyngrok.conf").PyngrokConfig(
            ngrok_path=str(self._program) if self._program else shutil.which("ngrok"),
            config_path=str(path),
            startup_timeout=round(self._start_timeout_s),
            start_new_session=True,  # Ctrl-C goes to this process only, which ends it in order
        )
        config.auth_token = None  # pyngrok would copy it from the environment into the arguments
        return config

    def _connect(self, port: int) -> Any:
        """Open an endpoint. Blocking.

        pyngrok can notice the agent's end before it has read the agent's last lines, which contain
        the reason. Then the agent is started again.

        Raises:
            TunnelOpenError: the agent failed.
        """
        for _ in range(_MOST_STARTS - 1):
            try:
                return self._connect_once(port)
            except _NoReasonError:
                if self._given_up:
                    raise
        return self._connect_once(port)

    def _connect_once(self, port: int) -> Any:
        errors: Any = import_module("pyngrok.exception")
        options = {} if self._domain is None else {"url": f"https://{self._domain}"}
        try:
            return self._ngrok.connect(str(port), pyngrok_config=self._config, **options)
        except errors.PyngrokNgrokInstallError as error:
            raise TunnelProgramError(
                "The ngrok agent cannot be downloaded.",
                remedy="Check the network, or name the path of an ngrok agent.",
            ) from error
        except errors.PyngrokNgrokHTTPError as error:
            raise self._named(f"{error} {error.body}") from None
        except errors.PyngrokError as error:
            why = getattr(error, "ngrok_error", None)
            if why is None and "unable to start" in str(error):
                raise _NoReasonError("The ngrok agent ended without a reason.") from None
            raise self._named(f"{error} {why or ''}") from None
        except OSError as error:
            raise TunnelProgramError(
                Translatable("The ngrok agent does not run here: {error}.", error=error.strerror)
            ) from error

    def _named(self, said: str) -> TunnelOpenError:
        """Return the error for a failure, without the authtoken, which the agent repeats."""
        said = " ".join(said.replace(self._authtoken.get_secret_value(), _HIDDEN).split())[:300]
        codes = set(re.findall(r"ERR_NGROK_\d+", said))
        for code, kind in _MEANING.items():
            if code in codes:
                return kind(f"ngrok refuses the tunnel: {kind.title} ({code}).")
        if any(sign in said for sign in _UNREACHED):
            return TunnelNetworkError("ngrok cannot be reached from this machine.")
        if "binary was not found" in said:
            return TunnelProgramError("There is no ngrok agent at the path that was named.")
        return TunnelOpenError(Translatable("ngrok opens no tunnel: {said}", said=said))

    def _agent(self) -> Any:
        """Return pyngrok's record of the running agent, or None."""
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


class _SecretFilter(logging.Filter):
    """Removes a secret from pyngrok's log."""

    def __init__(self, secret: SecretStr) -> None:
        super().__init__()
        self._secret = secret

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the secret in a log record."""
        record.msg = record.getMessage().replace(self._secret.get_secret_value(), _HIDDEN)
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
            "The tunnel ngrok", "ngrok", package="vieneu-colab-server"
        ) from error
