"""Writes the lines that install our packages into every page, after what is true today.

Run it after `vieneu_core.installation.PUBLISHED` or the version has changed::

    .venv/bin/python docs/install_lines.py

A page stays plain Markdown: a line that is there, in whatever form, is replaced by the form that
works. Before the release that is a path in the clone, or a wheel; after it, the name.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vieneu_core import __version__
from vieneu_core.installation import CORE, PUBLISHED

ROOT = Path(__file__).parents[1]
PAGES = (
    ROOT / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("packages/*/README.md")),
    ROOT / "notebooks/README.md",
    *sorted(ROOT.glob("deploy/*.service")),
)
_LINE = re.compile(r"(?P<pip>\bpip install )(?P<arguments>[^`\n#]*)")
_OURS = re.compile(
    r"(?:packages/|(?P<wheels>\S*/)?)"
    r"(?P<name>vieneu[-_](?:core|colab[-_]server|ha[-_]integration))"
    r"(?:-\d[\w.]*-py3-none-any\.whl)?(?P<extras>\[[\w,-]+\])?"
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One of our packages, as a line names it."""

    name: str
    extras: str
    """In brackets, or ""."""
    wheels: str = ""
    """The folder of its wheel, with a slash; "" where none is named."""

    @classmethod
    def parse(cls, argument: str) -> Requirement | None:
        """Read an argument of pip; None where it is none of ours."""
        found = _OURS.fullmatch(argument)
        if found is None:
            return None
        wheels = found["wheels"] if argument.partition("[")[0].endswith(".whl") else None
        return cls(found["name"].replace("_", "-"), found["extras"] or "", wheels or "")

    def written(self, *, published: bool) -> str:
        """Return it as an argument of pip that works."""
        if published:
            return self.name + self.extras
        if self.wheels:
            wheel = f"{self.name.replace('-', '_')}-{__version__}-py3-none-any.whl"
            return self.wheels + wheel + self.extras
        return f"packages/{self.name}{self.extras}"


def install_lines(page: str, *, published: bool = PUBLISHED) -> Iterator[tuple[re.Match[str], str]]:
    """Yield each line that installs a package of ours, and the line that works."""
    for found in _LINE.finditer(page):
        arguments = shlex.split(found["arguments"])
        parsed = [Requirement.parse(argument) for argument in arguments]
        # pip 23 (Debian 12) asks PyPI for the core if a package that needs it comes first.
        ours = sorted(filter(None, parsed), key=lambda wanted: wanted.name != CORE)
        if ours:
            others = [text for text, wanted in zip(arguments, parsed, strict=True) if not wanted]
            written = [wanted.written(published=published) for wanted in ours]
            yield found, found["pip"] + shlex.join([*others, *written])


def rewritten(page: str, *, published: bool = PUBLISHED) -> str:
    """Return a page with each of those lines as it works."""
    for found, line in reversed([*install_lines(page, published=published)]):
        rest = found[0][len(found[0].rstrip()) :]
        page = page[: found.start()] + line + rest + page[found.end() :]
    return page


def main() -> None:
    """Rewrite the pages in place, and name those that changed."""
    for path in PAGES:
        before = path.read_text("utf-8")
        after = rewritten(before)
        if after != before:
            path.write_text(after, "utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
