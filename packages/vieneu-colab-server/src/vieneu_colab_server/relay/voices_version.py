"""Version of the voices that can be used now: an open page asks for them again when it changes."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

from vieneu_core.router import Router
from vieneu_core.voices import VoiceCatalogue


async def voices_version(router: Router, catalogue: VoiceCatalogue) -> str:
    """Return a text that differs once other voices may be usable. Asks no backend.

    Args:
        router: Knows the active backend.
        catalogue: The custom voices.
    """
    status = router.status()
    active = status.backend(status.active)
    health = None if active is None else active.health
    known = None if health is None else [health.ready, health.engine, health.model, health.clones]
    changed = await asyncio.to_thread(_changed_at, catalogue.folder)
    return hashlib.sha256(json.dumps([status.active, known, changed]).encode()).hexdigest()[:16]


def _changed_at(folder: Path) -> int:
    """Return when something was added to a folder or removed, in nanoseconds; 0 without one."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
