"""Cell 5: starts the server and opens the tunnel, with the values of the cell's forms."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from vieneu_colab_server.colab.display import Line
from vieneu_colab_server.colab.ipython_errors import short_traceback
from vieneu_colab_server.colab.model_choice import loading_text
from vieneu_colab_server.colab.prepare import runtime_age_s
from vieneu_colab_server.colab.relay import Relay
from vieneu_colab_server.colab.secrets import TOKEN_NAME, ask_secret
from vieneu_colab_server.exposure import PublicEvent
from vieneu_colab_server.i18n import cell_messages, event_text
from vieneu_colab_server.server_process import Server
from vieneu_colab_server.supervised_server import PublicServer
from vieneu_colab_server.tunnels.base import Tunnel
from vieneu_colab_server.tunnels.registry import TunnelOptions, make_tunnel
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.config import AccountSecret, cache_dir
from vieneu_core.credentials import parse_server_token
from vieneu_core.errors import ConfigurationError
from vieneu_core.i18n import Messages
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of
from vieneu_core.worker.spec import EngineSpec

COLAB_VARIABLE = "COLAB_RELEASE_TAG"
"""Set in every runtime of Colab."""
SecretOf = Callable[[str], str | None]


@short_traceback
def start(  # noqa: PLR0913 - the forms of the cell, by keyword
    spec: EngineSpec,
    *,
    tunnel: str,
    domain: str = "",
    session_hours: float = 12.0,
    voices: str = "",
    voices_folder: Path | None = None,
    callback_url: str | None = None,
    token: str | None = None,
    secret_of: SecretOf = lambda _: None,
    language: str = "vi",
    instead_of: Relay | None = None,
    clock: Clock | None = None,
) -> Relay:
    """Start the server, and open the tunnel after a test sentence. Prints the progress.

    Args:
        spec: Result of `choose_model`; its model is loaded here, and nowhere else.
        tunnel: Value of a `TunnelKind`.
        domain: A reserved domain of ngrok; empty means none.
        session_hours: Length of the runtime's session, in hours from its start.
        voices: Ids of voices to warm up, separated by commas.
        voices_folder: Result of `add_voices`; None means none.
        callback_url: Webhook of Home Assistant that receives each new address; None means none.
        token: Token that clients must send; None asks ``secret_of``, then prompts for it.
        secret_of: Returns a secret that cell 1 has asked for; None if it has not.
        language: ``vi`` or ``en``, for the output.
        instead_of: Result of a former run of the cell, which is closed first.
        clock: Clock of the server.

    Raises:
        ConfigurationError: a value is invalid or missing.
        ServerStartError: the server does not start.
        TunnelOpenError: the tunnel cannot be opened.
    """
    messages = cell_messages(language)
    if instead_of is not None and instead_of.runs:
        print(messages("replacing"))
        instead_of.close()

    def read_secret(name: str, prompt: str) -> SecretStr | None:
        known = secret_of(name)
        return SecretStr(known) if known else ask_secret(name, prompt)

    provider = _tunnel(tunnel, domain.strip(), read_secret, messages)
    secret = SecretStr(token) if token else read_secret(TOKEN_NAME, messages("ask_token"))
    if secret is None:
        print(messages("token_made"))
    server = Server(
        spec,
        token=secret and _checked(secret),
        settings={"language": language} | ({"voices_dir": voices_folder} if voices_folder else {}),
        ends_at=_ends_at(session_hours, clock or SystemClock()),
        clock=clock,
    )

    def make(notify: Callable[[PublicEvent], None]) -> PublicServer:
        return PublicServer(
            server,
            provider,
            callback_url=SecretStr(callback_url) if callback_url else None,
            voices=[name.strip() for name in voices.split(",") if name.strip()],
            notify=notify,
            clock=clock,
        )

    relay, line = Relay(make, messages), Line()
    relay.open(
        lambda event: print(event_text(event, messages)),
        lambda seen: line.show(loading_text(seen, messages)),
    )
    return relay


def _checked(token: SecretStr) -> SecretStr:
    try:
        return parse_server_token(token)
    except ValueError as error:
        raise ConfigurationError(
            Translatable(
                "The token {name} cannot be used: {reason}.",
                name=TOKEN_NAME,
                reason=reason_of(error),
            ),
            remedy="Correct it in Colab's Secrets, and run cell 1 again.",
        ) from None


def _tunnel(
    kind: str,
    domain: str,
    read_secret: Callable[[str, str], SecretStr | None],
    messages: Messages,
) -> Tunnel:
    def read_account(secret: AccountSecret) -> SecretStr | None:
        prompt = messages("ask_tunnel_secret", name=secret.name, page=secret.page)
        return read_secret(secret.name, prompt)

    options = TunnelOptions(
        domain=domain or None,
        download_folder=cache_dir(os.environ) / "programs",
        read_secret=read_account,
    )
    return make_tunnel(kind, options)


def _ends_at(session_hours: float, clock: Clock) -> datetime:
    if not 0 < session_hours <= 24 * 7:
        raise ConfigurationError(
            Translatable(
                "A session of {session_hours} hours is not possible.", session_hours=session_hours
            ),
            remedy="Enter 12, the limit of Colab.",
        )
    # The session of a runtime begins with the runtime, not with the server. Elsewhere the machine
    # may be up for years.
    age_s = runtime_age_s() if COLAB_VARIABLE in os.environ else 0.0
    left_s = session_hours * 3600 - age_s
    if left_s <= 0:
        raise ConfigurationError(
            Translatable(
                "This runtime is {age_s:.1f} hours old: its session is over.", age_s=age_s / 3600
            ),
            remedy="Runtime → Disconnect and delete runtime, then run all cells again; or enter a"
            " longer session.",
        )
    return clock.now() + timedelta(seconds=left_s)
