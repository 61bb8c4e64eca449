"""Output of a cell."""

from google.colab.output._js import eval_js, register_callback, unregister_callback
from google.colab.output._util import serve_kernel_port_as_iframe, serve_kernel_port_as_window

__all__ = [
    "eval_js",
    "register_callback",
    "serve_kernel_port_as_iframe",
    "serve_kernel_port_as_window",
    "unregister_callback",
]
