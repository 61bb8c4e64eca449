"""Fetches from the hub of `hub_site`: what it holds, and who fetches it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from hub_site import HubSite

from vieneu_core.backoff import Backoff
from vieneu_core.models.download import RetryPolicy
from vieneu_core.models.hub import Hub
from vieneu_core.models.source import ModelSource

REPO, FILE = "someone/voice-gguf", "voice-q4.gguf"
LARGE = hashlib.sha256(b"seed").digest() * 40_000
SMALL = b'{"presets": {}}'
SOURCE = ModelSource(repo=REPO, files=(FILE,))
NO_PAUSES = Backoff(first_s=0, longest_s=0)
AT_ONCE = RetryPolicy(timeout_s=20, backoff=NO_PAUSES, sleep=lambda _: None)


def hub(site: HubSite, cache: Path, **more: Any) -> Hub:
    return Hub(**{"cache_dir": cache, "endpoint": site.url, "retry_policy": AT_ONCE, **more})
