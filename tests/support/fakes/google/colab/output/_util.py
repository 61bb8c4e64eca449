"""Pages of the runtime's ports in a cell's output. The scripts are Colab's own, word by word."""

from __future__ import annotations

import json
import sys

from IPython import display

_IFRAME = """(async (port, path, width, height, cache, element) => {
    if (!google.colab.kernel.accessAllowed && !cache) {
      return;
    }
    element.appendChild(document.createTextNode(''));
    const url = await google.colab.kernel.proxyPort(port, {cache});
    const iframe = document.createElement('iframe');
    iframe.src = new URL(path, url).toString();
    iframe.height = height;
    iframe.width = width;
    iframe.style.border = 0;
    iframe.allow = [
        'accelerometer',
        'autoplay',
        'camera',
        'clipboard-read',
        'clipboard-write',
        'gyroscope',
        'magnetometer',
        'microphone',
        'serial',
        'usb',
        'xr-spatial-tracking',
    ].join('; ');
    element.appendChild(iframe);
  })"""


def serve_kernel_port_as_iframe(
    port: int,
    path: str = "/",
    width: str = "100%",
    height: str = "400",
    cache_in_notebook: bool = False,
) -> None:
    """Display a page of a port in the output."""
    values = ", ".join(json.dumps(each) for each in (path, width, height, cache_in_notebook))
    code = f"{_IFRAME}({port}, {values}, window.element)"
    display.display(display.Javascript(code))  # type: ignore[no-untyped-call]  # not theirs


def serve_kernel_port_as_window(
    port: int,
    path: str = "/",
    anchor_text: str | None = None,
    skip_warning: bool = False,
) -> None:
    """Refuse, as browsers do since they keep the storage of each page apart."""
    del port, path, anchor_text
    if not skip_warning:
        sys.stdout.write(
            "\x1b[31mWarning: This function may stop working due to changes in browser"
            " security.\nTry `serve_kernel_port_as_iframe` instead. \x1b[0m\n"
        )
