"""Cell 6: shows the banner and a status line, until the cell is stopped."""

from __future__ import annotations

import time

from vieneu_colab_server.colab.banner import BannerFacts, banner_html, banner_text
from vieneu_colab_server.colab.display import Block, Line
from vieneu_colab_server.colab.ipython_errors import short_traceback
from vieneu_colab_server.colab.relay import Relay
from vieneu_colab_server.colab.words import Words
from vieneu_colab_server.exposure import PublicEvent
from vieneu_core.config import QuotaSettings, TunnelKind
from vieneu_core.wire.schemas import HealthAnswer

HEALTH_CHECK_EVERY_S = 5.0
_EVENTS_SHOWN = frozenset(
    {
        *("address", "address_sent", "address_not_sent"),
        *("tunnel_lost", "server_ended", "server_restarted"),
    }
)


@short_traceback
def launch(relay: Relay) -> None:
    """Show the banner and keep the cell alive; an interruption (■) closes server and tunnel.

    Raises:
        RelayClosedError: it was closed before.
        VieneuError: server or tunnel could not be kept running; both are closed.
    """
    banner, line, words = Block(), Line(), relay.words
    try:
        while True:
            seen = relay.health()
            relay.dispatch(lambda event: _print_event(event, words))
            _show_banner(relay, banner, seen)
            line.show(status_line(seen, words, tunnel=relay.tunnel_name))
            time.sleep(HEALTH_CHECK_EVERY_S)
    except KeyboardInterrupt:
        print(words("closing"))
    finally:
        relay.close()
        line.show(words("closed"))


def status_line(seen: HealthAnswer | None, words: Words, *, tunnel: str) -> str:
    """Return the status of a server in one line."""
    if seen is None:
        return words("away")
    parts = [words("draining")] if seen.draining else []
    if seen.session_remaining_seconds is not None:
        parts.append(words("left", left=words.duration(seen.session_remaining_seconds)))
    parts.append(words("requests", n=words.number(seen.requests_served)))
    parts.append(words("queue", n=seen.queue_depth))
    if seen.gpu_memory_used_gb is not None and seen.gpu_memory_total_gb is not None:
        used = words.number(seen.gpu_memory_used_gb, 1)
        parts.append(
            words("gpu_memory", used=used, total=words.number(seen.gpu_memory_total_gb, 1))
        )
    mb = words.number(seen.bytes_sent / 1e6, 1)
    share = words.number(100 * seen.bytes_sent / QuotaSettings().monthly_bytes, 1)
    parts.append(words("sent_of" if tunnel == TunnelKind.NGROK else "sent", mb=mb, share=share))
    return " · ".join(parts)


def _show_banner(relay: Relay, banner: Block, seen: HealthAnswer | None) -> None:
    if relay.url is None or seen is None or not seen.model_loaded:
        return  # the banner keeps what was true last
    facts = BannerFacts(
        url=relay.url,
        token_page_url=relay.token_page_url,
        ends_at=relay.ends_at,
        engine=" · ".join(filter(None, [seen.engine, seen.model, seen.accelerator])),
        address_updated=relay.address_updated,
    )
    banner.show(banner_html(facts, relay.words), banner_text(facts, relay.words))


def _print_event(event: PublicEvent, words: Words) -> None:
    if event.kind in _EVENTS_SHOWN:
        print(words(event.kind, detail=event.detail))
