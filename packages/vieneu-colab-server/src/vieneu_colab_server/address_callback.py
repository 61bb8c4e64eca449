"""Callback to Home Assistant, which receives and verifies the signed address of this server."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

import aiohttp
from pydantic import SecretStr
from yarl import URL

from vieneu_colab_server import __version__
from vieneu_core.backoff import Backoff
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.credentials import parse_callback_url
from vieneu_core.errors import ConfigurationError, VieneuError
from vieneu_core.pairing import ACCEPTED_HEADER, SIGNATURE_HEADER, AddressUpdate, signature
from vieneu_core.proxies import proxy_arguments
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of
from vieneu_core.wire.version import WIRE_VERSION

_LOGGER = logging.getLogger(__name__)
MAX_TRIES = 5
BACKOFF = Backoff(first_s=2.0, factor=2.5, longest_s=30.0)
"""Pauses between attempts."""
TIMEOUT_S = 15.0


class AddressCallbackError(VieneuError):
    """Home Assistant did not accept the address of the server."""

    code = "not_announced"
    title = "Home Assistant does not have the new address"
    default_remedy = "Enter URL and token by hand: vieneu connect URL"


class AddressCallback:
    """Sends address updates to a webhook of Home Assistant.

    Args:
        callback_url: URL of the webhook.
        token: Returns the server's current token; it signs the update and is not sent.
        session: HTTP session to use, which is never closed; None opens an own one.
        clock: Clock of timestamps and pauses.

    Raises:
        ConfigurationError: the callback URL is invalid.
    """

    def __init__(
        self,
        callback_url: str,
        token: Callable[[], SecretStr],
        *,
        session: aiohttp.ClientSession | None = None,
        clock: Clock | None = None,
    ) -> None:
        try:
            url = parse_callback_url(SecretStr(callback_url)).get_secret_value()
        except ValueError as error:
            raise ConfigurationError(
                Translatable("The callback URL cannot be used: {reason}.", reason=reason_of(error)),
                remedy="Copy it again from the page that made the notebook, or omit it.",
            ) from None
        self._url, self._host = url, URL(url).host
        self._token, self._session = token, session
        self._clock = clock or SystemClock()

    def __repr__(self) -> str:
        # The path of a webhook is a secret too.
        return f"AddressCallback(host={self._host!r})"

    async def send(self, endpoint_url: str, expires_at: datetime | None) -> None:
        """Send an address, with retries while Home Assistant cannot be reached.

        Raises:
            AddressCallbackError: Home Assistant refuses it, or cannot be reached.
        """
        last = ""
        for n_tries in range(1, MAX_TRIES + 1):
            # Signed again for each attempt: an update must be fresh, and none is accepted twice.
            update = AddressUpdate(
                endpoint_url=endpoint_url,
                server_version=__version__,
                wire_version=WIRE_VERSION,
                expires_at=expires_at,
                timestamp=self._clock.now(),
            )
            try:
                status, accepted = await self._post(update.body())
            except (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError):
                last = Translatable("cannot be reached: the proxy on the way to it cannot be used")
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                last = Translatable("cannot be reached ({kind})", kind=type(error).__name__)
            else:
                if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                    if accepted:
                        return
                    last = Translatable("does not wait for an address at this webhook")
                else:
                    last = Translatable("answers with status {status}", status=status)
                    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                        break
            if n_tries < MAX_TRIES:
                _LOGGER.warning("Home Assistant at %s %s.", self._host, last)
                await self._clock.sleep(BACKOFF.pause_s(n_tries))
        raise AddressCallbackError(
            Translatable("Home Assistant at {host} {last}.", host=self._host, last=last)
        )

    async def _post(self, body: bytes) -> tuple[int, bool]:
        """Return the status of the answer, and whether it says that the update was accepted."""
        if self._session is None:
            async with aiohttp.ClientSession() as session:
                return await self._post_on(session, body)
        return await self._post_on(self._session, body)

    async def _post_on(self, session: aiohttp.ClientSession, body: bytes) -> tuple[int, bool]:
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: signature(body, self._token()),
        }
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with session.post(
            self._url,
            data=body,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
            **proxy_arguments(URL(self._url)),
        ) as answer:
            return answer.status, ACCEPTED_HEADER in answer.headers
