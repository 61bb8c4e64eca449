"""Page on this machine that shows the token, which must not be in a notebook's saved output.

The cell shows it in a frame. Colab opens ports of its runtime only to the notebook's owner.
"""

from __future__ import annotations

import html
import secrets
from collections.abc import Callable

from aiohttp import web
from pydantic import SecretStr

from vieneu_colab_server.colab.banner import MASK
from vieneu_core.i18n import Messages

_PAGE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style nonce="{nonce}">
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0; padding: .25rem;
  color: #1b1b1f; background: #fff; }}
h1 {{ font-size: 1rem; margin: 0; }}
p {{ margin: .15rem 0 .4rem; font-size: .85rem; }}
code {{ padding: .25rem .5rem; background: #f1f2f9; border-radius: .25rem; overflow-wrap: anywhere;
  user-select: all; }}
button {{ margin: .25rem .25rem .25rem 0; padding: .25rem .75rem; font: inherit; border: 0;
  border-radius: .3rem; color: #fff; background: #3f51b5; cursor: pointer; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e6e6ea; background: #1b1b1f; }}
  code {{ background: #2b2c33; }} }}
</style>
<h1>{title}</h1><p>{why}</p>
<div><code id="token" data-token="{token}">{mask}</code></div>
<button id="copy" data-done="{copied}">{copy}</button>
<button id="show" data-done="{hide}" aria-pressed="false">{show}</button>
<script nonce="{nonce}">
const token = document.getElementById("token"), mask = token.textContent;
const copy = document.getElementById("copy"), show = document.getElementById("show");
show.onclick = () => {{
  const hidden = token.textContent === mask, label = show.textContent;
  token.textContent = hidden ? token.dataset.token : mask;
  show.setAttribute("aria-pressed", String(hidden));
  show.textContent = show.dataset.done;
  show.dataset.done = label;
}};
copy.onclick = async () => {{
  try {{ await navigator.clipboard.writeText(token.dataset.token); }}
  catch {{
    const field = document.createElement("textarea");
    field.value = token.dataset.token;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }}
  copy.textContent = copy.dataset.done;
}};
</script>
</html>
"""


class TokenPage:
    """Serves one page at an address that cannot be guessed.

    Args:
        token: Returns the current token.
        messages: Messages in the page's language.
    """

    def __init__(self, token: Callable[[], SecretStr], messages: Messages) -> None:
        self._token, self._messages = token, messages
        self._path = f"/{secrets.token_urlsafe(24)}"
        self._runner: web.AppRunner | None = None
        self.url = ""
        """URL on this machine; empty if the page is not served."""
        self.opened = False
        """Whether a browser has opened it."""

    async def open(self) -> None:
        """Serve the page on a free port of this machine."""
        app = web.Application()
        app.router.add_get(self._path, self._show)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}{self._path}"

    async def close(self) -> None:
        """Stop serving the page."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner, self.url = None, ""

    async def _show(self, _: web.Request) -> web.Response:
        self.opened = True
        nonce, messages = secrets.token_urlsafe(12), self._messages
        page = _PAGE.format(
            language=messages.language,
            nonce=nonce,
            title=html.escape(messages("token_page")),
            why=html.escape(messages("token_page_why")),
            token=html.escape(self._token().get_secret_value()),
            mask=MASK,
            copy=html.escape(messages("copy_token")),
            show=html.escape(messages("show")),
            hide=html.escape(messages("hide")),
            copied=html.escape(messages("copied")),
        )
        headers = {
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}';"
            f" script-src 'nonce-{nonce}'",
        }
        return web.Response(text=page, content_type="text/html", headers=headers)
