"""Stands in for cloudflared: what it writes, its readiness, and its ways to fail.

The lines are those of the real program (2026.5); ``STAND_IN`` says what goes wrong.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BOX = (
    "+--------------------------------------------------------------------------------------------+"
)


def say(line: str) -> None:
    sys.stderr.write(f"2026-11-25T10:00:00Z {line}\n")
    sys.stderr.flush()


class Metrics(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        unready = Path(os.environ.get("STAND_IN_UNREADY", "/nonexistent")).exists()
        self.send_response(503 if unready else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main() -> None:
    kind = os.environ.get("STAND_IN", "")
    assert sys.argv[1] == "tunnel"
    assert "--no-autoupdate" in sys.argv
    say("INF Thank you for trying Cloudflare Tunnel. Doing so, without a Cloudflare account, is a")
    say("INF Requesting new quick Tunnel on trycloudflare.com...")
    if kind == "refused":
        say(
            'ERR Error unmarshaling QuickTunnel response: error code: 1015 error="invalid character'
            ' \'e\' looking for beginning of value" status_code="429 Too Many Requests"'
        )
        sys.exit("failed to unmarshal quick Tunnel: invalid character 'e' looking for beginning")
    if kind == "offline":
        sys.exit(
            'failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp:'
            " lookup api.trycloudflare.com on 127.0.0.11:53: no such host"
        )
    if kind == "odd":
        sys.exit("panic: something else")
    say(f"INF {BOX}")
    say("INF |  Your quick Tunnel has been created! Visit it at (it may take some time):         |")
    name = f"brave-words-{os.getpid()}"
    say(f"INF |  https://{name}.trycloudflare.com                                             |")
    say(f"INF {BOX}")
    over_http2 = sys.argv[2:].count("http2") == 1
    if kind.startswith("blocked") and not over_http2:
        for _ in range(1 if kind == "blocked-once" else 2):
            say(
                'ERR Failed to dial a quic connection error="failed to dial to edge with quic:'
                ' timeout: no recent network activity" connIndex=0 event=0 ip=198.41.200.13'
            )
            say("INF Retrying connection in up to 2s connIndex=0 event=0 ip=198.41.200.13")
        if kind != "blocked-once":
            time.sleep(600)
    if kind == "blocked-all":
        say(
            "ERR Unable to establish connection with Cloudflare edge"
            ' error="DialContext error: dial tcp 198.41.200.13:7844: i/o timeout" connIndex=0'
        )
        time.sleep(600)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say(f"INF Starting metrics server on 127.0.0.1:{server.server_port}/metrics")
    say(
        "INF Registered tunnel connection connIndex=0 connection=f0 event=0 ip=198.41.200.193"
        f" protocol={'http2' if over_http2 else 'quic'}"
    )
    for i in range(3000):  # more than a pipe holds: it has to be read
        say(f"DBG line {i} of many that nobody asked for, as long as those of the program are")
    if kind == "stubborn":
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("INF all was written")
    Path(os.environ.get("STAND_IN_WROTE", "/dev/null")).write_text("all", "utf-8")
    time.sleep(600)


if __name__ == "__main__":
    main()
