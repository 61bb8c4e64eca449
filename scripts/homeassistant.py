"""Makes the environments of the Home Assistant tests, in .tools of this checkout.

    python scripts/homeassistant.py [RELEASE] NOTES

One runs the component's tests; beside it stands one for each release of Home Assistant, as a user's
is: what Home Assistant brings, and nothing of ours. RELEASE is a key of
tests/homeassistant/releases.json; without it, the oldest one. NOTES is a folder; ``environ.json``
in it holds the variables that the tests read. A second run waits for the first, and finds it done.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests/homeassistant"
HOME = ROOT / ".tools/homeassistant"
"""The environment of the component's tests."""
ZIG = ROOT / ".tools/zig"
"""A C and C++ compiler as a wheel, where this machine has none."""
ZIG_AS_COMPILER = """#!/bin/sh
# Debian's Python links with an option that zig's linker does not know.
for each do
    shift
    [ "$each" = -Wl,-Bsymbolic-functions ] || set -- "$@" "$each"
done
exec "{python}" -m ziglang {language} "$@"
"""


def run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    """Show a command, and run it.

    Raises:
        CalledProcessError: it failed.
    """
    print("homeassistant >", *command, flush=True)  # noqa: T201 - progress, as nox shows it
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | (env or {}))


def last_line(script: str) -> str:
    """Run a script of ours; return the path that it prints."""
    done = subprocess.run(
        [ROOT / "scripts" / script], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip().splitlines()[-1]


def build_wheels(folder: Path) -> None:
    """Build the wheels of all packages: what is on PyPI once a version is published."""
    shutil.rmtree(folder, ignore_errors=True)
    run("uv", "build", "--quiet", "--wheel", "--all-packages", f"--out-dir={folder}")


def make_test_environment(python: str, wheels: Path) -> None:
    """Make the environment of the component's tests, with the packages of this checkout."""
    run("uv", "venv", "--quiet", "--allow-existing", f"--python={python}", HOME)
    install = ("uv", "pip", "install", "--quiet", f"--python={HOME}")
    run(*install, f"--requirement={TESTS / 'requirements.txt'}")
    built = {wheel.name.partition("-")[0]: wheel for wheel in wheels.glob("*.whl")}
    extras = {"vieneu_core": "[cache,cli,embedded,notebook]"}
    run(
        *install,
        f"--constraint={constraints(HOME)}",
        f"--requirement={TESTS / 'requirements-running.txt'}",
        f"--requirement={TESTS / 'requirements-more.txt'}",
        *(f"--reinstall-package={name.replace('_', '-')}" for name in built),
        *(f"{wheel}{extras.get(name, '')}" for name, wheel in built.items()),
        env=compilers(),
    )


def make_user_environment(python: str, version: str) -> Path:
    """Make the environment of a user, once: the tests work on copies of it."""
    home = HOME.with_name(f"homeassistant-{version}")
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        run("uv", "venv", "--quiet", f"--python={python}", home)
        install = ("uv", "pip", "install", "--quiet", f"--python={home}")
        run(*install, f"homeassistant=={version}")
        run(
            *install,
            "--compile-bytecode",  # else each copy would do so at its first start
            f"--constraint={constraints(home)}",
            f"--requirement={TESTS / 'requirements-running.txt'}",
            f"homeassistant=={version}",
            env=compilers(),
        )
        (home / "complete").touch()
    return home


def compilers() -> dict[str, str]:
    """Return the variables that name a compiler: two packages of Home Assistant have no wheel."""
    if shutil.which("cc") and shutil.which("c++"):
        return {}
    programs = {"CC": ZIG / "cc", "CXX": ZIG / "c++"}
    if not all(program.exists() for program in programs.values()):
        run("uv", "venv", "--quiet", "--allow-existing", ZIG)
        run("uv", "pip", "install", "--quiet", f"--python={ZIG}", "ziglang>=0.15")
        for program in programs.values():
            text = ZIG_AS_COMPILER.format(python=ZIG / "bin/python", language=program.name)
            program.write_text(text)
            program.chmod(0o755)
    return {name: str(program) for name, program in programs.items()}


def constraints(home: Path) -> Path:
    """Return the file that says which versions Home Assistant runs with."""
    (found,) = home.glob("lib/python3.14/site-packages/homeassistant/package_constraints.txt")
    return found


@contextmanager
def alone() -> Iterator[None]:
    """Wait for another run in this checkout, and keep later ones waiting."""
    lock = ROOT / ".tools/homeassistant.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(release: str | None, notes: Path) -> None:
    """Make both environments, and note the variables that the tests read."""
    releases: dict[str, str] = json.loads((TESTS / "releases.json").read_text("utf-8"))
    version = releases[release or min(releases)]
    notes.mkdir(parents=True, exist_ok=True)
    python, wheels = last_line("python314"), notes / "wheels"
    build_wheels(wheels)
    make_test_environment(python, wheels)
    environ = {
        "CHROMIUM": last_line("chromium"),
        "VIENEU_PICTURES": str(notes / "pictures"),
        "VIENEU_WHEELS": str(wheels),
        "COVERAGE_FILE": str(notes / "coverage"),
        "VIENEU_HOME_ASSISTANT": str(make_user_environment(python, version)),
    }
    (notes / "environ.json").write_text(json.dumps(environ, indent=1), "utf-8")


if __name__ == "__main__":
    *chosen, notes_folder = sys.argv[1:]
    with alone():
        main(chosen[0] if chosen else None, Path(notes_folder).resolve())
