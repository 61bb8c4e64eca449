"""The lines of the documentation that install our packages, and what a page shows after each."""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
_COMMAND = re.compile(
    r"(?:^|`|^[A-Z_]+=\S+ )"
    r"((?:vieneu|vieneu-server|vieneu-ha) [^`\n]*|vieneu-relay(?: [^`\n]*)?$)",
    re.MULTILINE,
)
_START = re.compile(r"^ExecStart=\S*/((?:vieneu-server|vieneu-relay) .*)$", re.MULTILINE)
_ANY_PIP = re.compile(r"\bpip install [^`\n#]*(?:vieneu)[^`\n#]*")


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install_lines", ROOT / "docs/install_lines.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()
PAGES: tuple[Path, ...] = SCRIPT.PAGES


@dataclass(frozen=True)
class Shown:
    """An install line as a page shows it."""

    where: str
    line: str
    released: str
    """The same line, as it will be once the packages are published."""
    command: str
    """The first command of ours that the page shows after it; "" where there is none."""


def shown_lines() -> list[Shown]:
    """Collect the lines of all pages, so that a new one cannot be forgotten."""
    found = []
    for path in PAGES:
        page = path.read_text("utf-8")
        now = SCRIPT.install_lines(page)
        later = SCRIPT.install_lines(page, published=True)
        for (match, line), (_, released) in zip(now, later, strict=True):
            number = page.count("\n", 0, match.start()) + 1
            after = _START if path.suffix == ".service" else _COMMAND
            command = after.search(page, match.end())
            found.append(
                Shown(
                    where=f"{path.relative_to(ROOT)}:{number}",
                    line=line,
                    released=released,
                    command=command[1].partition("   ")[0].strip() if command else "",
                )
            )
    return found


def all_mentions(page: str) -> list[str]:
    """Return everything on a page that looks as if it installed a package of ours."""
    return [found[0].strip() for found in _ANY_PIP.finditer(page)]
