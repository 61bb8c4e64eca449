"""Installation of an engine's packages into Home Assistant's Python.

The manifest cannot list them: they are not published for every machine (musl), and one requirement
that cannot be met disables the whole integration. Nor does `async_process_requirements` help: it
ignores the extras of an installed distribution. So Home Assistant's installer gets the extra
itself, and resolves it as a whole. The requirements of an extra are read from the core's metadata.
"""

from __future__ import annotations

import importlib
import sysconfig
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path

import homeassistant
from homeassistant.core import HomeAssistant
from homeassistant.requirements import CONSTRAINT_FILE, PIP_TIMEOUT
from homeassistant.util.package import install_package, is_installed
from packaging.requirements import Requirement

from vieneu_core import __version__
from vieneu_core.config.settings import EMBEDDED_ENGINE
from vieneu_core.engines.registry import AUTO_ENGINE, ENGINES, best_engine

CORE = "vieneu-core"
CONSTRAINTS = Path(homeassistant.__file__).with_name(CONSTRAINT_FILE)


async def async_install(hass: HomeAssistant, engine: str) -> tuple[str, ...]:
    """Install an engine's packages; return the requirements that are still not met."""
    wanted = await hass.async_add_executor_job(_wanted_by, engine)
    if not wanted or hass.config.skip_pip:
        return await hass.async_add_executor_job(unmet_by, engine)
    return await hass.async_add_executor_job(_install, engine)


@dataclass(frozen=True, slots=True)
class Missing:
    """Requirements of an engine that are not met."""

    unmet: tuple[str, ...] = ()
    """Those without which it does not speak."""
    wanted: tuple[str, ...] = ()
    """These, or those with which it would speak better."""


async def async_install_again(hass: HomeAssistant, chosen: str | None) -> dict[str, Missing]:
    """Install the packages of an entry's voices again: a new container does not have them.

    Args:
        hass: Home Assistant.
        chosen: The engine of the local voice; None for a server.

    Returns:
        What is still missing, by engine: for the chosen one, and for the embedded voice, which is
        always installed, as the last resort.
    """
    missing: dict[str, Missing] = {}
    for engine in {EMBEDDED_ENGINE, chosen or EMBEDDED_ENGINE}:
        unmet = await async_install(hass, engine)
        wanted = await hass.async_add_executor_job(_wanted_by, engine)
        missing[engine] = Missing(unmet, wanted)
    return missing


def on_musl() -> bool:
    """Return whether this Python uses musl, as Home Assistant OS, where only sano runs."""
    return "musl" in (sysconfig.get_config_var("SOABI") or "")


def unmet_by(engine: str) -> tuple[str, ...]:
    """Return the requirements of an engine that are not met. Blocking: reads metadata."""
    missing = [unmet(extra) for extra in _extras(engine)]
    return missing[-1] if missing and all(missing) else ()


def _wanted_by(engine: str) -> tuple[str, ...]:
    """Return the requirements to install: for the embedded voice, those of all its voices."""
    return unmet(_extras(engine)[-1]) if engine == EMBEDDED_ENGINE else unmet_by(engine)


def unmet(extra: str) -> tuple[str, ...]:
    """Return the requirements of an extra of the core that are not met. Blocking: reads metadata.

    The metadata of a wheel state each extra in full, other extras that it includes as well.
    """
    stated = map(Requirement, requires(CORE) or ())
    wanted = (
        f"{each.name}{each.specifier}"
        for each in stated
        if each.marker is not None and each.marker.evaluate({"extra": extra})
    )
    return tuple(each for each in wanted if not is_installed(each))


def _extras(engine: str) -> list[str]:
    """Return the alternative extras of an engine, the one to install last."""
    if engine == EMBEDDED_ENGINE:
        voices = [each for each in reversed(ENGINES) if each.alone]  # the best one last
        if on_musl():
            return [each.extra for each in voices if each.on_musl]
        return [*(each.extra for each in voices), EMBEDDED_ENGINE]
    wanted = best_engine(gpu=False) if engine == AUTO_ENGINE else engine
    for needs in ENGINES:
        if needs.engine == wanted:
            others = [extra for extra in needs.extras if extra != needs.quick_extra]
            return [*others, needs.quick_extra]
    return []  # an engine of the user's own


def _install(engine: str) -> tuple[str, ...]:
    install_package(
        f"{CORE}[{_extras(engine)[-1]}]=={__version__}",
        upgrade=False,  # loaded packages are not replaced
        constraints=str(CONSTRAINTS),
        timeout=PIP_TIMEOUT,
    )
    importlib.invalidate_caches()
    return unmet_by(engine)
