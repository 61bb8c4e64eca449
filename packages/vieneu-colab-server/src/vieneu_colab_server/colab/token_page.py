"""Page on this machine that shows the token, which must not be in a notebook's saved output.

Colab opens ports of its runtime only to the notebook's owner, by ``google.colab.kernel.proxyPort``
(https://colab.research.google.com/notebooks/snippets/advanced_outputs.ipynb).
"""

from __future__ import annotations

import html
import secrets
from collections.abc import Callable

from aiohttp import web
from pydantic import SecretStr

from vieneu_core.i18n import Messages

_PAGE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style nonce="{nonce}">
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem;
  color: #1b1b1f; background: #fff; }}
code {{ display: block; padding: .75rem 1rem; background: #f1f2f9; border-radius: .5rem;
  overflow-wrap: anywhere; font-size: 1.1rem; user-select: all; }}
button {{ margin: 1rem 0; padding: .5rem 1.25rem; font: inherit; border: 0; border-radius: .5rem;
  color: #fff; background: #3f51b5; cursor: pointer; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e6e6ea; background: #1b1b1f; }}
  code {{ background: #2b2c33; }} }}
</style>
<h1>{title}</h1><p>{why}</p>
<code id="token">{token}</code>
<button id="copy" data-done="{copied}">{copy}</button>
<script nonce="{nonce}">
const button = document.getElementById("copy"), token = document.getElementById("token");
button.onclick = async () => {{
  try {{ await navigator.clipboard.writeText(token.textContent); }}
  catch {{ getSelection().selectAllChildren(token); document.execCommand("copy"); }}
  button.textContent = button.dataset.done;
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
        nonce, messages = secrets.token_urlsafe(12), self._messages
        page = _PAGE.format(
            language=messages.language,
            nonce=nonce,
            title=html.escape(messages("token_page")),
            why=html.escape(messages("token_page_why")),
            token=html.escape(self._token().get_secret_value()),
            copy=html.escape(messages("copy")),
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
