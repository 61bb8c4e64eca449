"""The command ``vieneu-ha``. Exit codes: 0 success; 2 wrong arguments; 3 failure."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vieneu_ha import blueprints
from vieneu_ha.errors import InstallError
from vieneu_ha.installer import find, install, uninstall, version_here

EXIT_FAILED = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = _parser().parse_args(arguments)
    try:
        sys.stdout.write(f"{_done(given)}\n")
    except InstallError as error:
        sys.stderr.write(f"vieneu-ha: {error}\n")
        return EXIT_FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vieneu-ha", description="Install the integration VieNeu Relay into Home Assistant."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("install", "install or upgrade it"),
        ("uninstall", "remove it"),
        ("status", "show the installed version"),
    ):
        command = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        command.add_argument(
            "--config", type=Path, required=True, metavar="DIR", help="folder of configuration.yaml"
        )
        if name == "install":
            command.add_argument("--link", action="store_true", help="for development: no copy")
            command.add_argument(
                "--force", action="store_true", help="also replace a newer version"
            )
    return parser


def _done(given: argparse.Namespace) -> str:
    if given.command == "install":
        before = find(given.config)
        after = install(given.config, link=given.link, force=given.force)
        verb = "installed" if before is None else f"{before.version or 'a link'} →"
        text = f"{after.path}: {verb} {after.version}. Restart Home Assistant."
        if added := blueprints.add(given.config):
            text += f"\nBlueprints: {', '.join(path.stem for path in added)}."
        return text
    if given.command == "uninstall":
        removed = uninstall(given.config)
        blueprints.remove(given.config)
        if removed is None:
            return "Nothing to remove."
        return (
            f"{removed.path}: {removed.version} removed. Delete the integration on Home"
            " Assistant's page first if you have not, then restart it."
        )
    here = find(given.config)
    if here is None:
        return f"Not installed. This package carries {version_here()}."
    kind = "link" if here.is_link else "copy"
    return f"{here.path}: {here.version} ({kind}). This package carries {version_here()}."
