"""Banner of an open server: address, token, end of the session, QR code, next step.

It never contains the token, because a notebook saves its output. A page of the runtime shows it.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from vieneu_core.i18n import Messages

MASK = "•" * 16
_QR_SCALE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerFacts:
    """Facts of a banner."""

    url: str
    token_page_url: str
    ends_at: datetime | None
    engine: str
    address_updated: bool


def banner_text(facts: BannerFacts, messages: Messages) -> str:
    """Return the banner as plain text."""
    return "\n".join(
        (
            messages("ready"),
            f"{messages('url')}: {facts.url}",
            f"{messages('token')}: {MASK} ({messages('reveal')}: {facts.token_page_url})",
            _end(facts, messages),
            f"{messages('engine')}: {facts.engine}",
            f"{messages('next')}: {_next(facts, messages)}",
            messages("keep_running"),
        )
    )


def banner_html(facts: BannerFacts, messages: Messages) -> str:
    """Return the banner as HTML without external resources."""
    page = urlsplit(facts.token_page_url)
    return _HTML.format(
        ready=html.escape(messages("ready")),
        url_name=html.escape(messages("url")),
        url=html.escape(facts.url),
        copy=html.escape(messages("copy")),
        copied=html.escape(messages("copied")),
        token_name=html.escape(messages("token")),
        mask=MASK,
        reveal=html.escape(messages("reveal")),
        page=html.escape(facts.token_page_url),
        port=page.port or 0,
        path=html.escape(page.path),
        end=html.escape(_end(facts, messages)),
        ends=html.escape(messages("ends")),
        ends_at="" if facts.ends_at is None else facts.ends_at.isoformat(),
        language=messages.language,
        engine=html.escape(f"{messages('engine')}: {facts.engine}"),
        next_name=html.escape(messages("next")),
        next=html.escape(_next(facts, messages)),
        keep_running=html.escape(messages("keep_running")),
        scan=html.escape(messages("scan")),
        qr=qr_svg(facts.url),
    )


def qr_svg(text: str) -> str:
    """Return a QR code (ISO/IEC 18004) as an SVG element; empty if segno is not installed."""
    try:
        import segno
    except ImportError:
        return ""
    return segno.make(text, error="m").svg_inline(
        scale=_QR_SCALE, dark="#1b1b1f", light="#ffffff", border=3
    )


def _end(facts: BannerFacts, messages: Messages) -> str:
    if facts.ends_at is None:
        return messages("no_end")
    return f"{messages('ends')} {facts.ends_at.astimezone():%H:%M %d.%m.%Y (UTC%z)}"


def _next(facts: BannerFacts, messages: Messages) -> str:
    return (
        messages("next_connected")
        if facts.address_updated
        else messages("next_paste", url=facts.url)
    )


_HTML = """
<div class="vieneu-banner">
<style>
.vieneu-banner {{ font: 15px/1.5 system-ui, sans-serif; border: 1px solid #c5c8e8; max-width: 46rem;
  border-left: .4rem solid #3f51b5; border-radius: .5rem; padding: 1rem 1.25rem; display: flex;
  flex-wrap: wrap; gap: 1.25rem; color: #1b1b1f; background: #fff; }}
.vieneu-banner h3 {{ margin: 0 0 .5rem; font-size: 1.2rem; color: #1b1b1f; }}
.vieneu-banner .facts {{ flex: 1 1 22rem; min-width: 0; }}
.vieneu-banner code {{ background: #f1f2f9; color: #1b1b1f; padding: .1rem .4rem;
  border-radius: .25rem; overflow-wrap: anywhere; }}
.vieneu-banner button, .vieneu-banner .reveal {{ font: inherit; font-size: .85rem; border: 0;
  cursor: pointer; border-radius: .3rem; padding: .1rem .6rem; color: #fff; background: #3f51b5;
  text-decoration: none; }}
.vieneu-banner p {{ margin: .4rem 0; color: #1b1b1f; }}
.vieneu-banner .qr {{ text-align: center; font-size: .8rem; max-width: 12rem; }}
</style>
<div class="facts">
<h3>{ready}</h3>
<p>{url_name}: <code class="url">{url}</code>
<button type="button" data-done="{copied}">{copy}</button></p>
<p>{token_name}: <code>{mask}</code>
<a class="reveal" target="_blank" rel="noopener" href="{page}" data-port="{port}"
  data-path="{path}">{reveal}</a></p>
<p><span class="end" data-at="{ends_at}" data-words="{ends}">{end}</span> · {engine}</p>
<p><b>{next_name}.</b> {next}</p>
<p>{keep_running}</p>
</div>
<div class="qr">{qr}<br>{scan}</div>
<script>
(() => {{
  for (const banner of document.querySelectorAll(".vieneu-banner")) {{
    const button = banner.querySelector("button"), url = banner.querySelector(".url");
    button.onclick = async () => {{
      try {{ await navigator.clipboard.writeText(url.textContent); }}
      catch {{ getSelection().selectAllChildren(url); document.execCommand("copy"); }}
      button.textContent = button.dataset.done;
    }};
    const end = banner.querySelector(".end"), at = new Date(end.dataset.at);
    if (end.dataset.at) {{ // the runtime's clock is in another time zone than the reader's
      const style = {{ dateStyle: "medium", timeStyle: "short" }};
      end.textContent = end.dataset.words + " " + at.toLocaleString("{language}", style);
    }}
    const link = banner.querySelector(".reveal"), kernel = window.google?.colab?.kernel;
    if (kernel?.proxyPort) {{
      kernel.proxyPort(Number(link.dataset.port)).then((proxied) => {{
        link.href = new URL(link.dataset.path, proxied).toString();
      }});
    }}
  }}
}})();
</script>
</div>
"""
