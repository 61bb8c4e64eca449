"""Whether the small neural voice can speak on this machine, and what is missing for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vieneu_core.config.paths import state_dir
from vieneu_core.engines.registry import SANO, is_installed
from vieneu_core.engines.sano.fetching import FAILURES_FILE, FailureRecord
from vieneu_core.engines.sano.options import VIETNAMESE
from vieneu_core.installation import extra_command, version_of
from vieneu_core.models.catalogue import model_source
from vieneu_core.models.hub import find_cached, hub_cache_dir


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceState:
    """The result; the voice can speak if there is no command."""

    fact: str
    command: str = ""
    """Command for what is missing."""
    failure: str = ""
    """Why the last download failed."""


def voice_state(environ: Mapping[str, str]) -> VoiceState:
    """Look for the package and the voice. Blocking: reads a few files."""
    if not is_installed(SANO):
        return VoiceState(fact="sanotts", command=extra_command(SANO))
    package = version_of("sanotts")
    found = find_cached(model_source(VIETNAMESE), cache_dir=hub_cache_dir(environ))
    if found is not None:
        return VoiceState(fact=f"{package}, {VIETNAMESE}: {found}")
    return VoiceState(
        fact=f"{package}, {VIETNAMESE}",
        command=f"vieneu models get {VIETNAMESE}",
        failure=FailureRecord(state_dir(environ) / FAILURES_FILE).reason(VIETNAMESE),
    )
