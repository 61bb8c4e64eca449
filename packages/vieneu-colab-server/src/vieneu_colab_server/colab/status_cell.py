"""Cell 6: shows the banner and a status line, until the cell is stopped."""

from __future__ import annotations

import time

from vieneu_colab_server.colab.banner import BannerFacts, banner_html, banner_text
from vieneu_colab_server.colab.display import Block, Line
from vieneu_colab_server.colab.ipython_errors import short_traceback
from vieneu_colab_server.colab.relay import Relay
from vieneu_colab_server.colab.token_frame import hand_over, show_token_frame
from vieneu_colab_server.exposure import PublicEvent
from vieneu_colab_server.i18n import event_text
from vieneu_core.config import QuotaSettings, TunnelKind
from vieneu_core.i18n import Messages, translated
from vieneu_core.wire.schemas import HealthAnswer

HEALTH_CHECK_EVERY_S = 5.0
CHECKS_BEFORE_PLAN_B = 3
"""Checks for which the frame with the token may stay unopened."""
_EVENTS_SHOWN = frozenset(
    {
        *("address", "address_sent", "address_not_sent"),
        *("tunnel_lost", "server_ended", "server_restarted"),
    }
)


@short_traceback
def launch(relay: Relay) -> None:
    """Show the banner until the cell is interrupted (■), then close server and tunnel.

    Raises:
        RelayClosedError: the relay was closed before.
        VieneuError: server or tunnel could not be kept running; both are closed.
    """
    banner, token, line, messages = Block(), TokenHandOver(relay), Line(), relay.messages
    try:
        while True:
            seen = relay.health()
            relay.dispatch(lambda event: _print_event(event, messages))
            if _show_banner(relay, banner, seen):
                token.show()
            line.show(
                status_line(seen, messages, tunnel=relay.tunnel_name, down_reason=relay.down_reason)
            )
            time.sleep(HEALTH_CHECK_EVERY_S)
    except KeyboardInterrupt:
        print(messages("closing"))
    finally:
        relay.close()
        line.show(messages("closed"))


class TokenHandOver:
    """Shows the token in the cell; in another way if the page was not opened after some time."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._shown_before = 0

    def show(self) -> None:
        """Called after each check."""
        if self._shown_before == 0:
            show_token_frame(self._relay.token_page_url)
        if self._shown_before == CHECKS_BEFORE_PLAN_B and not self._relay.token_page_opened:
            hand_over(self._relay.token, self._relay.messages)
        self._shown_before += 1


def status_line(
    seen: HealthAnswer | None, messages: Messages, *, tunnel: str, down_reason: str = ""
) -> str:
    """Return the status of a server and its tunnel in one line."""
    reason = translated(down_reason, messages.language)
    parts = [messages("tunnel_down", reason=reason)] if down_reason else []
    if seen is None:
        return " · ".join([*parts, messages("away")])
    parts += [messages("draining")] if seen.draining else []
    if seen.session_remaining_seconds is not None:
        parts.append(messages("left", left=messages.duration(seen.session_remaining_seconds)))
    parts.append(messages("requests", n=messages.number(seen.requests_served)))
    parts.append(messages("queue", n=seen.queue_depth))
    if seen.gpu_memory_used_gb is not None and seen.gpu_memory_total_gb is not None:
        used = messages.number(seen.gpu_memory_used_gb, 1)
        parts.append(
            messages("gpu_memory", used=used, total=messages.number(seen.gpu_memory_total_gb, 1))
        )
    mb = messages.number(seen.bytes_sent / 1e6, 1)
    share = messages.number(100 * seen.bytes_sent / QuotaSettings().monthly_bytes, 1)
    has_quota = TunnelKind(tunnel).is_ngrok
    parts.append(messages("sent_of" if has_quota else "sent", mb=mb, share=share))
    return " · ".join(parts)


def _show_banner(relay: Relay, banner: Block, seen: HealthAnswer | None) -> bool:
    """Show the banner; without effect, and False, while it has to keep its last state."""
    if relay.url is None or seen is None or not seen.model_loaded:
        return False
    facts = BannerFacts(
        url=relay.url,
        token_page_url=relay.token_page_url,
        ends_at=relay.ends_at,
        engine=" · ".join(filter(None, [seen.engine, seen.model, seen.accelerator])),
        address_updated=relay.address_updated,
    )
    banner.show(banner_html(facts, relay.messages), banner_text(facts, relay.messages))
    return True


def _print_event(event: PublicEvent, messages: Messages) -> None:
    if event.kind in _EVENTS_SHOWN:
        print(event_text(event, messages))
