"""Stands in for the ngrok agent: its log lines, its local API, and a real way to the upstream.

What it is asked to do wrong stands in the authtoken, which it reads from its configuration as the
agent does.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

_REFUSALS = {
    "bad": (
        "authentication failed: The authtoken you specified is properly formed, but it is invalid."
        "\\nYour authtoken: {token}\\n\\n\\r\\n\\r\\nERR_NGROK_107\\r\\n"
    ),
    "second": (
        "authentication failed: Your account is limited to 1 simultaneous ngrok agent sessions."
        "\\n\\r\\n\\r\\nERR_NGROK_108\\r\\n"
    ),
    "used-up": "failed: Your account has exceeded its limit.\\r\\n\\r\\nERR_NGROK_727\\r\\n",
    "offline": (
        'failed to dial ngrok server with address \\"connect.ngrok-agent.com:443\\": dial tcp:'
        " lookup connect.ngrok-agent.com: no such host"
    ),
    "odd": "something else, with {token}",
    **{
        str(code): f"failed: {said}\\r\\n\\r\\nERR_NGROK_{code}\\r\\n"
        for code, said in {
            103: "The account Lan has been suspended.",
            121: "Your agent version 3.1.0 is too old.",
            123: "The account Lan may not start an ngrok agent session.",
            349: "Your account is rate limited for adding 10 sessions per 1m0s.",
            9009: "Running the agent with an http/s proxy is a Pay-as-you-go feature.",
            9040: "We do not allow agents to connect to ngrok from your IP address (203.0.113.7).",
        }.items()
    },
}
_NO_ENDPOINTS = {
    "domain": (319, "You must reserve a custom hostname for your account"),
    "held": (334, "The endpoint '{url}' is already online."),
    "no-domain": (15013, "Your account is requesting a dev domain that does not exist."),
}


def say(level: str, message: str, **more: str) -> None:
    fields = " ".join(f'{name}="{value}"' for name, value in more.items())
    stamp = "2026-11-25T10:00:00+0000"
    sys.stdout.write(f't={stamp} lvl={level} msg="{message}" {fields}\n')
    sys.stdout.flush()


class Api(BaseHTTPRequestHandler):
    endpoints: ClassVar[dict[str, dict[str, Any]]] = {}
    kind = ""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.answer(200, {"endpoints": list(self.endpoints.values()), "uri": "/api/endpoints"})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        held = Path(os.environ.get("STAND_IN_HELD", "/nonexistent")).exists()
        if held or self.kind in _NO_ENDPOINTS:
            code, said = _NO_ENDPOINTS["held" if held else self.kind]
            err = f"failed to start tunnel: {said.format(url=asked.get('url'))}"
            details = {"err": f"{err}\r\n\r\nERR_NGROK_{code}\r\n"}
            body = {"error_code": 103, "status_code": 502, "msg": "failed", "details": details}
            self.answer(502, body)
            return
        url = asked.get("url") or forwarded(asked["upstream"]["url"])
        made = {"name": asked["name"], "url": url, "upstream": asked["upstream"]}
        self.endpoints[asked["name"]] = made
        say("info", "started tunnel", obj="tunnels", name=asked["name"], url=url)
        self.answer(201, made)
        if self.kind == "forgetful":
            self.endpoints.clear()

    def answer(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def forwarded(upstream: str) -> str:
    """Listen on a port whose connections reach the upstream; return its URL."""
    target = urlsplit(upstream)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            near, _ = listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", target.port or 80))
            except OSError:  # as ngrok's edge where nobody listens
                threading.Thread(target=refuse, args=(near,), daemon=True).start()
                continue
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=pump, args=(one, other), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def refuse(near: socket.socket) -> None:
    with suppress(OSError), near:
        near.recv(65_536)
        near.sendall(
            b"HTTP/1.1 502 Bad Gateway\r\nNgrok-Error-Code: ERR_NGROK_8012\r\nContent-Length: 0\r\n"
            b"Connection: close\r\n\r\n"
        )


def pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while piece := one.recv(65_536):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)


def main() -> None:
    config = json.loads(Path(sys.argv[sys.argv.index("--config") + 1]).read_text("utf-8"))
    token = config["agent"]["authtoken"]
    assert token not in sys.argv, "every process can read the arguments"
    kind = re.sub(r"-token.*", "", token)
    say("info", "no configuration paths supplied")
    if kind == "silent":
        time.sleep(600)
    hurried = Path(os.environ.get("STAND_IN_HURRIED", "/nonexistent"))
    if hurried.exists():  # this once it ends before its last words are read
        hurried.unlink()
        raise SystemExit(1)
    if kind in _REFUSALS:
        say(
            "eror",
            "session closed, starting reconnect loop",
            err=_REFUSALS[kind].format(token=token),
        )
        sys.stdout.write("ERROR:  " + _REFUSALS[kind].format(token=token) + "\n")
        raise SystemExit(1)
    Api.kind = kind
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    addr = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say("info", "starting web service", obj="web", addr=addr)
    say("info", "client session established", obj="tunnels.session")
    say("info", f"tunnel session started {token}", obj="tunnels.session")
    say("info", "heartbeat", obj="tunnels.session")
    time.sleep(600)


if __name__ == "__main__":
    main()
