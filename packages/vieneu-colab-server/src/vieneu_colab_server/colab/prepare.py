"""Cell 3: chooses the engine for this runtime, and installs its packages."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from vieneu_colab_server.colab.ipython_errors import short_traceback
from vieneu_colab_server.i18n import cell_messages
from vieneu_core import __version__
from vieneu_core.engines.registry import (
    AUTO_ENGINE,
    ENGINES,
    MODEL_ENGINES,
    EngineNeeds,
    best_engine,
    has_nvidia_gpu,
)
from vieneu_core.errors import ConfigurationError
from vieneu_core.i18n import Messages
from vieneu_core.notebook.failures import pip_cause
from vieneu_core.translatable import Translatable

PROC_INIT = Path("/proc/1/stat")
"""Status of the first process, which starts with the runtime."""


PipRun = subprocess.CompletedProcess[str]
"""Exit code of pip and, in ``stdout``, its whole output."""


class EngineInstallError(ConfigurationError):
    """The packages of an engine cannot be installed."""

    code = "engine_install"
    title = "The engine cannot be installed"
    default_remedy = "Read pip's message above, and run the cell again; or choose another engine."


@short_traceback
def prepare(
    engine: str,
    *,
    language: str = "vi",
    gpu: bool | None = None,
    pip: Callable[[Sequence[str]], PipRun] | None = None,
) -> str:
    """Return the engine that fits this runtime, once its packages are installed.

    Args:
        engine: ``auto``, or a name in `vieneu_core.engines.registry`.
        language: ``vi`` or ``en``, for the output.
        gpu: Whether there is a GPU; None detects it.
        pip: Runs pip with some arguments; None means this Python's pip.

    Raises:
        ConfigurationError: there is no engine of that name.
        EngineInstallError: pip failed.
    """
    messages = cell_messages(language)
    known = {each.engine: each for each in ENGINES}
    if engine not in {AUTO_ENGINE, *known}:
        raise ConfigurationError(
            Translatable("There is no engine {engine!r}.", engine=engine),
            remedy=Translatable("Choose auto, {known}.", known=", ".join(known)),
        )
    has_gpu = has_nvidia_gpu() if gpu is None else gpu
    fitting = _fitting(known.get(engine), has_gpu=has_gpu)
    key = "engine_alone" if fitting not in MODEL_ENGINES else "gpu" if has_gpu else "no_gpu"
    print(messages(key, engine=fitting))
    needs = known[fitting]
    if not needs.installed:
        print(messages("installing", engine=fitting))
        extra = needs.prebuilt_extra or needs.extra  # compiling it would take minutes
        done = (pip or _pip)(["install", f"vieneu-core[{extra}]=={__version__}"])
        importlib.invalidate_caches()
        if done.returncode or not needs.installed:
            raise _install_error(fitting, done, messages)
    return fitting


def _install_error(engine: str, done: PipRun, messages: Messages) -> EngineInstallError:
    print("\n".join(line[:300] for line in done.stdout.splitlines()[-15:]))
    why, what_next = pip_cause(done.stdout, done.returncode, messages.language)
    return EngineInstallError(
        Translatable("{engine}: {why}", engine=engine, why=why), remedy=what_next
    )


def _fitting(chosen: EngineNeeds | None, *, has_gpu: bool) -> str:
    if chosen is None or (chosen.wants_gpu and not has_gpu):
        return best_engine(gpu=has_gpu)
    return chosen.engine


def runtime_age_s(*, stat: Path = PROC_INIT, uptime: Path = Path("/proc/uptime")) -> float:
    """Return the age of this container in seconds; 0 if it is unknown.

    Field 22 of ``/proc/pid/stat`` is the start of a process in clock ticks since boot (proc(5)).
    """
    try:
        began_ticks = float(stat.read_text().rpartition(")")[2].split()[19])
        up_s = float(uptime.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0
    return max(0.0, up_s - began_ticks / _TICKS_PER_S)


_TICKS_PER_S = 100
"""USER_HZ, equal on every Linux that Python supports (time(7))."""


def _pip(arguments: Sequence[str]) -> PipRun:
    suppress_warnings = ("--quiet", "--no-input", "--no-color", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", *arguments, *suppress_warnings]
    return subprocess.run(  # noqa: S603 - our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
