"""Home Assistant's ingress: requests of people whom Home Assistant has logged in.

Supervisor's proxy checks a session of Home Assistant before it passes a request on, and alone may
connect to the port for it (https://developers.home-assistant.io/docs/apps/presentation#ingress).
No header counts: what decides is the port on which a connection arrived, which is published to no
other machine, and the address of its other end.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from vieneu_colab_server.middleware.proxy import PEER_KEY
from vieneu_colab_server.problems import problem_response
from vieneu_colab_server.relay.login import LoginRefusedError

INGRESS_PORT = 8099
"""Port to which Supervisor connects, unless an app states another one."""
SUPERVISOR_ADDRESS = "172.30.32.2"
"""Address of Supervisor in its network of apps; it is fixed."""
_INGRESS_KEY = "vieneu_ingress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """Where ingress reaches the relay."""

    port: int = INGRESS_PORT
    """Port for ingress alone, on which nothing else is served."""
    proxy: str = SUPERVISOR_ADDRESS
    """The only address that may connect to it."""


class IngressGate:
    """Marks the requests of ingress, and refuses all others on the port of ingress.

    Args:
        app: Gets the requests.
        ingress: Where they come from; None: no request is one of ingress.
    """

    def __init__(self, app: ASGIApp, *, ingress: Ingress | None) -> None:
        self._app = app
        self._ingress = ingress

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in {"http", "lifespan"}:
            await WebSocketClose()(scope, receive, send)  # nothing of ours speaks it
        elif scope["type"] == "lifespan" or not self._arrived_at_its_port(scope):
            await self._app(scope, receive, send)
        elif self._ingress is None or scope.get(PEER_KEY) != self._ingress.proxy:
            refusal = LoginRefusedError(
                "Only Home Assistant may connect to this port.",
                remedy="Open the app in Home Assistant, or use the port for programs.",
            )
            await problem_response(refusal)(scope, receive, send)
        else:
            await self._app({**scope, _INGRESS_KEY: True}, receive, send)

    def _arrived_at_its_port(self, scope: Scope) -> bool:
        """Return whether a connection was accepted on the port of ingress; no header states it."""
        own = scope.get("server")
        return self._ingress is not None and own is not None and own[1] == self._ingress.port


def is_ingress(scope: Scope) -> bool:
    """Return whether Home Assistant has logged in who makes a request."""
    return scope.get(_INGRESS_KEY) is True
