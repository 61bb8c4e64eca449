"""Meaning of what a model hub, or the way to it, answers: refusals, and broken transfers."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from vieneu_core.errors import ModelDownloadError, ModelLoadError
from vieneu_core.models.hub_proxies import proxy_away, proxy_refusal
from vieneu_core.translatable import Translatable

_TRANSIENT = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}
_PROXY_WANTS_PASSWORD = re.compile(r"(^|Tunnel connection failed: )407\b")
"""How clients name the status; it may be a part of a path or of a number too."""


class InterruptedTransferError(Exception):
    """The hub or the connection failed, and may work later. The text may be shown to users."""


class FileNotThereError(Exception):
    """The repository exists, but the file does not."""


@dataclass(frozen=True, slots=True)
class ProxySaid:
    """The part of a proxy in a transfer that broke off."""

    texts: Sequence[str]
    """Texts of the errors that are about the proxy itself."""
    is_on_the_way: Callable[[], bool]
    """Whether the request that failed went by a proxy."""


@dataclass(frozen=True, slots=True)
class HubFailures:
    """Translates the failures of one hub."""

    host: str
    timeout_s: float
    """Longest time without data, in seconds."""

    def refusal(self, status: int, what: str, *, file_is_missing: bool) -> Exception | None:
        """Return the error for a status; None where it is a refusal of the hub's own.

        Args:
            status: The status of the answer.
            what: What was asked for.
            file_is_missing: Whether the hub says that the repository has no such file.
        """
        if file_is_missing:
            return FileNotThereError(what)
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            return proxy_refusal(self.host)
        if status in _TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return InterruptedTransferError(
                Translatable(
                    "{host} answered with an error ({status})", host=self.host, status=status
                )
            )
        return None

    def interruption(
        self, chain: Sequence[BaseException], what: str, proxy: ProxySaid
    ) -> Exception:
        """Return the error for a transfer that broke off.

        Args:
            chain: The error of the client, with its causes.
            what: What was asked for.
            proxy: The part of a proxy in it.
        """
        if fault := self._proxy_fault(chain, proxy):
            return fault
        if _has(chain, ssl.SSLCertVerificationError):
            # A machine without a clock of its own has a wrong one until it has asked the network.
            return ModelDownloadError(
                Translatable(
                    "{what}: the certificate of {host} is not accepted.", what=what, host=self.host
                ),
                remedy="Check this machine's clock and its certificates; a proxy may interfere.",
            )
        return InterruptedTransferError(self._reason(chain))

    def _proxy_fault(self, chain: Sequence[BaseException], proxy: ProxySaid) -> Exception | None:
        """Return what is wrong with the proxy on the way; None where it is not the reason."""
        if any(map(_PROXY_WANTS_PASSWORD.search, proxy.texts)):
            return proxy_refusal(self.host)
        is_unreached = _has(chain, ConnectionRefusedError, socket.gaierror)
        if proxy.texts or (is_unreached and proxy.is_on_the_way()):
            return InterruptedTransferError(proxy_away(self.host))
        return None

    def _reason(self, chain: Sequence[BaseException]) -> Translatable:
        if _has(chain, socket.gaierror):
            return Translatable("the name {host} is not found", host=self.host)
        if _has(chain, ConnectionRefusedError):
            return Translatable("{host} refuses connections", host=self.host)
        if any("Timeout" in type(each).__name__ for each in chain):  # each library has its own
            return Translatable(
                "{host} sent nothing for {timeout_s:g} s", host=self.host, timeout_s=self.timeout_s
            )
        return Translatable("the connection to {host} broke off", host=self.host)


def offline_error(what: str) -> ModelLoadError:
    """Return the error for a request that the environment forbids."""
    return ModelLoadError(
        Translatable("{what} would have to be fetched, but HF_HUB_OFFLINE forbids it.", what=what),
        remedy="Unset HF_HUB_OFFLINE, or fetch it on a machine that may.",
    )


def no_hub_error(host: str, what: str) -> ModelLoadError:
    """Return the error for an answer that is not that of a model hub."""
    return ModelLoadError(
        Translatable("{host} answers, but not as a model hub does ({what}).", host=host, what=what),
        remedy="Check the address of the hub, and whether a proxy answers instead of it.",
    )


def _has(chain: Sequence[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(each, kinds) for each in chain)
