"""Requests that schemathesis derives from an OpenAPI document, and what it says of the answers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from child_process import without_coverage
from guard import GUARD_S

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance", "unsupported_method"),
    *("negative_data_rejection", "missing_required_header", "ignored_auth"),
)
CONFIG = """
[checks.not_a_server_error]
expected-statuses = {expected}
"""
EXPECTED = ("2xx", "3xx", "4xx", "504")
"""A request may say that it waits for no time at all: 504."""
UNLIMITED = 10**6
# They end the run: a new token, and no more requests.
LEFT_OUT = "^/admin/"


async def derived(
    document: Path,
    url: str,
    token: str,
    *,
    left_out: str = LEFT_OUT,
    expected: tuple[str, ...] = EXPECTED,
    max_examples: int = 25,
) -> tuple[int | None, str]:
    """Run schemathesis; return its status and what it printed."""
    config = document.with_name("schemathesis.toml")
    config.write_text(CONFIG.format(expected=json.dumps(expected)))
    process = await asyncio.create_subprocess_exec(
        *(SCHEMATHESIS, "--no-color", f"--config-file={config}", "run", document, f"--url={url}"),
        *(f"--header=Authorization: Bearer {token}", f"--checks={','.join(CHECKS)}"),
        *(f"--exclude-path-regex={left_out}", "--phases=examples,coverage,fuzzing"),
        *("--seed=1", f"--max-examples={max_examples}", "--continue-on-failure"),
        cwd=document.parent,  # it writes there
        env=without_coverage(os.environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(GUARD_S):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, printed.decode()


LIMITS: dict[str, Any] = {
    "requests_per_minute": UNLIMITED,
    "health_checks_per_minute": UNLIMITED,
    "failed_logins_per_minute": UNLIMITED,
    "max_queue": 1_000,
}
"""Settings of a server that refuses none of them for its number."""
