"""Banner of an open server: address, end of the session, next step, where the token is.

It never contains the token, because a notebook saves its output. A frame below it shows it.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime

from vieneu_core.i18n import Messages

MASK = "•" * 16
BUTTON_STYLE = (
    "font:inherit;font-size:.85rem;border:0;cursor:pointer;border-radius:.3rem;"
    "padding:.1rem .6rem;color:#fff;background:#3f51b5"
)
"""Of a button, whatever the page around the cell prescribes."""


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
    return _HTML.format(
        ready=html.escape(messages("ready")),
        url_name=html.escape(messages("url")),
        url=html.escape(facts.url),
        copy=html.escape(messages("copy")),
        copied=html.escape(messages("copied")),
        token_name=html.escape(messages("token")),
        mask=MASK,
        token_below=html.escape(messages("token_below")),
        button=BUTTON_STYLE,
        end=html.escape(_end(facts, messages)),
        ends=html.escape(messages("ends")),
        ends_at="" if facts.ends_at is None else facts.ends_at.isoformat(),
        language=messages.language,
        engine=html.escape(f"{messages('engine')}: {facts.engine}"),
        next_name=html.escape(messages("next")),
        next=html.escape(_next(facts, messages)),
        keep_running=html.escape(messages("keep_running")),
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
/* Jupyter and Colab style what is in a cell: `!important` keeps it readable in each theme. */
.vieneu-banner {{ font: 15px/1.5 system-ui, sans-serif !important; border: 1px solid #c5c8e8;
  max-width: 46rem; border-left: .4rem solid #3f51b5; border-radius: .5rem; padding: 1rem 1.25rem;
  color: #1b1b1f !important; background: #fff !important; color-scheme: light; }}
.vieneu-banner h3 {{ margin: 0 0 .5rem !important; font-size: 1.2rem !important; }}
.vieneu-banner h3, .vieneu-banner p, .vieneu-banner b, .vieneu-banner span {{
  color: #1b1b1f !important; background: transparent !important; }}
.vieneu-banner p {{ margin: .4rem 0 !important; }}
.vieneu-banner code {{ background: #f1f2f9 !important; color: #1b1b1f !important;
  padding: .1rem .4rem !important; border-radius: .25rem; overflow-wrap: anywhere; }}
.vieneu-banner button {{ color: #fff !important; background: #3f51b5 !important; }}
</style>
<div class="facts">
<h3>{ready}</h3>
<p>{url_name}: <code class="url">{url}</code>
<button type="button" class="copy" style="{button}" data-done="{copied}">{copy}</button></p>
<p>{token_name}: <code>{mask}</code> {token_below}</p>
<p><span class="end" data-at="{ends_at}" data-words="{ends}">{end}</span> · {engine}</p>
<p><b>{next_name}.</b> {next}</p>
<p>{keep_running}</p>
</div>
<script>
(() => {{
  for (const banner of document.querySelectorAll(".vieneu-banner")) {{
    const button = banner.querySelector(".copy"), url = banner.querySelector(".url");
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
  }}
}})();
</script>
</div>
"""
