"""Machines for which ik-llama-cpp-python has a wheel, and on which it runs.

They are compiled for processors with certain instructions. On another one, the first of these ends
the process (SIGILL), so it is known before anything is loaded.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path

MODULE = "ik_llama_cpp"
_LATEST_PYTHON = (3, 13)
"""There are wheels from 3.10 to this version."""
_INSTRUCTIONS = {
    # GGML_AVX2, with what it switches on.
    ("linux", "x86_64"): frozenset({"avx2", "fma", "f16c"}),
    # Its kernels are built for ARMv8.2 with dot products and half precision: a Raspberry Pi 5 has
    # both, a Raspberry Pi 4 neither.
    ("linux", "aarch64"): frozenset({"asimddp", "asimdhp"}),
    ("darwin", "arm64"): frozenset[str](),  # every Apple processor has them
}
"""What version 0.1.5 uses, as seen in its code, by `sys.platform` and `platform.machine`."""
_NAMES = ("flags", "Features")
"""Beginnings of the line that names a processor's instructions, on x86 and on ARM."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides about these wheels; by default of this machine."""

    system: str = sys.platform
    architecture: str = field(default_factory=platform.machine)
    python: tuple[int, int] = sys.version_info[:2]
    cpu_info: Path = Path("/proc/cpuinfo")
    """Where Linux names the processor's instructions; see ``proc_cpuinfo(5)``."""

    @property
    def has_wheel(self) -> bool:
        """Whether there is a wheel; the extra ``gguf`` takes it under the same condition."""
        return self._needed is not None and self.python <= _LATEST_PYTHON

    def missing_instructions(self) -> frozenset[str]:
        """Return what the wheel uses and the processor lacks, as named in ``/proc/cpuinfo``.

        All that it uses, if the processor is not known.
        """
        needed = self._needed or frozenset()
        try:
            lines = self.cpu_info.read_text("utf-8", "replace").splitlines() if needed else []
        except OSError:
            lines = []
        return needed - next(
            (_instructions_in(line) for line in lines if line.startswith(_NAMES)), set()
        )

    @property
    def runs(self) -> bool:
        """Whether there is a wheel that runs."""
        return self.has_wheel and not self.missing_instructions()

    @property
    def _needed(self) -> frozenset[str] | None:
        return _INSTRUCTIONS.get((self.system, self.architecture))


def _instructions_in(line: str) -> set[str]:
    return set(line.partition(":")[2].split())
