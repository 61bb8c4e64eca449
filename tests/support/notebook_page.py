"""A cell's output in a page like those of JupyterLab and Colab, for a browser."""

from __future__ import annotations

from pathlib import Path

STYLES = Path(__file__).parent / "fixtures/colab"
THEMES = ("jupyterlab-light", "jupyterlab-dark", "colab-light", "colab-dark")
COLAB = """
/* Colab's own styles are not published; these are the kinds of rules that reach an output. */
body { font: 14px/1.5 Roboto, sans-serif; margin: 8px; }
body[data-theme=light] { color: #1f1f1f; background: #fff; color-scheme: light; }
body[data-theme=dark] { color: #e3e3e3; background: #383838; color-scheme: dark; }
body[data-theme=dark] :is(p, h3, b, span, code, button) { color: #e3e3e3; background: #383838; }
a, a:link, a:visited { color: #8ab4f8; }
"""
KERNEL = """
window.google = {colab: {kernel: {
  accessAllowed: true,
  proxyPort: async (port, options) => `http://127.0.0.1:${port}/`,
}}};
"""
"""What Colab gives to the scripts of an output; ports of the runtime are those of this machine."""


def output_page(theme: str, content: str, *scripts: str) -> str:
    """Return a page with a cell's output, and the scripts that the cell displays."""
    app, _, shade = theme.partition("-")
    style = COLAB if app == "colab" else (STYLES / "jupyterlab.css").read_text("utf-8")
    kernel = f"<script>{KERNEL}</script>" if app == "colab" else ""
    shown = "".join(
        f"<div class=script></div><script>window.element ="
        f" document.currentScript.previousElementSibling;\n{script}</script>"
        for script in scripts
    )
    return (
        "<!doctype html><html lang=vi><meta charset=utf-8><meta name=viewport"
        f" content='width=device-width'><title>Notebook</title><style>{style}</style>{kernel}"
        f"<body data-theme={shade}><div class='jp-RenderedHTMLCommon'>{content}</div>{shown}"
    )


CONTRASTS = """() => {
  const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const channel = (c) => linear(c / 255);
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const found = numbers(getComputedStyle(node).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("h3, p, b, span, code, button")].filter(
    (node) => node.checkVisibility() && [...node.childNodes].some((c) => c.data?.trim())
  ).map((node) => {
    const both = [light(numbers(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    return [node.textContent.trim().slice(0, 40), ratio];
  });
}"""
"""Each text that is shown, and its contrast (WCAG 2.2, 1.4.3)."""
