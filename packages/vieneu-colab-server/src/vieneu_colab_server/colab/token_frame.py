"""The token inside of the cell, without being in its output, which a notebook saves.

First, the page of the token (`TokenPage`) in a frame. Colab shows ports of its runtime in frames;
in windows browsers refuse them, because they keep the storage of each site apart. Where the frame
was not loaded, `hand_over` gives the token to the cell's page as a script, which Colab evaluates
but never saves. A callback (``register_callback``) cannot do it: it waits until the cell ends.
https://github.com/googlecolab/colabtools/tree/main/google/colab/output
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from vieneu_colab_server.colab.banner import BUTTON_STYLE
from vieneu_colab_server.colab.display import in_notebook
from vieneu_core.i18n import Messages

HEIGHT_PX = 150


def show_token_frame(url: str) -> None:
    """Show the page of the token below the banner; only a link outside of a notebook."""
    output, page = _colab_output(), urlsplit(url)
    if output is not None:
        output.serve_kernel_port_as_iframe(page.port, path=page.path, height=str(HEIGHT_PX))
    elif in_notebook():
        from IPython.display import IFrame, display

        display(IFrame(url, "100%", HEIGHT_PX))  # type: ignore[no-untyped-call]  # not theirs


def hand_over(token: SecretStr, messages: Messages) -> None:
    """Add a button that copies the token to the output of the running cell; only on Colab."""
    output = _colab_output()
    if output is None:
        return
    values = {
        "token": token.get_secret_value(),
        "why": messages("token_handed_over"),
        "copy": messages("copy_token"),
        "copied": messages("copied"),
        "style": BUTTON_STYLE,
    }
    output.eval_js(f"({_BUTTON})({json.dumps(values)})", ignore_result=True)


def _colab_output() -> Any:
    """Return Colab's module; None elsewhere."""
    try:
        return import_module("google.colab.output")
    except ImportError:
        return None


_BUTTON = """(given) => {
  const line = document.createElement("p"), button = document.createElement("button");
  line.className = "vieneu-handed-over";
  line.style.cssText = "font:15px/1.5 system-ui,sans-serif;color:#1b1b1f;background:#fff";
  line.textContent = given.why + " ";
  button.textContent = given.copy;
  button.style.cssText = given.style;
  button.onclick = async () => {
    const field = document.createElement("textarea");
    try { await navigator.clipboard.writeText(given.token); }
    catch {
      field.value = given.token;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    button.textContent = given.copied;
  };
  line.append(button);
  document.querySelector(".vieneu-handed-over")?.remove();
  document.body.append(line);
}"""
