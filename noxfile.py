"""Tasks of this repository, as verbs: `nox --list`. `scripts/test` runs the default ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lint", "typecheck", "bandit", "docs", "packages", "homeassistant"]
nox.options.sessions += ["browser", "end_to_end", "ray", "chaos", "coverage"]

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(nox.project.load_toml("packages/vieneu-core/pyproject.toml"))
CODE = ("packages", "tests", "benchmarks", "examples", "noxfile.py", "docs", "notebooks", "scripts")
SOURCES = tuple(Path("packages").glob("*/src"))
COVERED = {"vieneu_core": 95, "vieneu_colab_server": 95, "vieneu_ha": 90}
"""Package, and the least branch coverage of it in per cent."""
SIDE_BY_SIDE = ("-n", "3", "--dist", "worksteal")
"""One more than two cores: much of the time is waiting for real processes and sockets."""
WITHOUT_PACKAGES = "--ignore=tests/packaging"
WITHOUT_END_TO_END = "--ignore=tests/end_to_end"
WITHOUT_BROWSER = "--ignore=tests/browser"
WITHOUT_CLUSTER = "--ignore=tests/cluster"
"""Those tests have sessions of their own."""
COMPONENT = Path("custom_components/vieneu")
COMPONENT_COVERED = 97
"""The least branch coverage of the component, in per cent; its flows are covered whole."""
HOME_ASSISTANTS: dict[str, str] = json.loads(
    Path("tests/homeassistant/releases.json").read_text("utf-8")
)
TESTS_OF_COMPONENT = (".tools/homeassistant/bin/python", "-m")
PYTEST_OF_COMPONENT = (
    "pytest",
    "--config-file=tests/homeassistant/pytest.ini",
    "--rootdir=tests/homeassistant",
)
FOR_TESTS = ("--no-default-groups", "--group=test", "--group=docs")
SHORT_CHAOS = ("--profile", "short")
REAL = ("end_to_end", "first_set_up", "pages")
"""The tests that start a real Home Assistant, in an environment without packages of ours."""


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Check format, style and import direction."""
    session.run("ruff", "format", "--check", *CODE, str(COMPONENT))
    session.run("ruff", "check", *CODE, str(COMPONENT))
    session.run("lint-imports")


@nox.session(venv_backend="none")
def typecheck(session: nox.Session) -> None:
    """Check types: mypy --strict."""
    # Of the Python that runs it: the stubs of what is installed are for that one.
    version = f"--python-version={sys.version_info.major}.{sys.version_info.minor}"
    session.run(
        *("mypy", version),
        *(path for path in CODE if Path(path).is_file() or any(Path(path).rglob("*.py"))),
    )


@nox.session(venv_backend="none")
def bandit(session: nox.Session) -> None:
    """Search the packages for what is often insecure, from medium severity on; see ruff's S."""
    session.run("bandit", "--quiet", "--recursive", "-ll", *sorted(map(str, SOURCES)))


@nox.session(default=False)
def pip_audit(session: nox.Session) -> None:
    """Look up each locked package in the database of known vulnerabilities; needs the network."""
    _sync(session, "--only-group=audit", "--frozen")
    listed = Path(session.create_tmp()) / "requirements.txt"
    everything = ("--frozen", "--all-packages", "--all-extras", "--no-emit-workspace")
    session.run(
        "uv", "export", "--quiet", *everything, "-o", str(listed), silent=True, external=True
    )
    session.run("pip-audit", "--strict", "--disable-pip", "-r", str(listed), *session.posargs)


@nox.session(python=PYTHONS, default=False)
def tests(session: nox.Session) -> None:
    """Run the tests on each Python found, without the slow ones."""
    _sync(session, *FOR_TESTS, "--frozen")
    _test(session, "pytest", "-m", "not slow", *session.posargs)


@nox.session(venv_backend="none", default=False)
def integration(session: nox.Session) -> None:
    """Run the slow tests only."""
    _test(session, "pytest", "-m", "slow", *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def minimums(session: nox.Session) -> None:
    """Run the tests with the lowest dependencies that the packages allow."""
    copy = Path(session.create_tmp()).resolve() / "minimums"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(".", copy, ignore=shutil.ignore_patterns(".nox", ".venv", ".tools", "uv.lock"))
    with session.chdir(copy):
        _sync(session, *FOR_TESTS, "--resolution", "lowest-direct")
        _test(session, "pytest", "-m", "not slow", WITHOUT_PACKAGES, *session.posargs)


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning fails it."""
    quiet = {"NO_MKDOCS_2_WARNING": "1"}  # Material on its own future, at every build
    session.run("mkdocs", "build", "--strict", *session.posargs, env=quiet)


@nox.session(venv_backend="none")
def packages(session: nox.Session) -> None:
    """Build each package, install it in a clean environment, and let it speak there."""
    _test(session, "pytest", *SIDE_BY_SIDE, "tests/packaging", *session.posargs)


@nox.session(venv_backend="none")
def homeassistant(session: nox.Session) -> None:
    """Check the component's types and run its tests, in Home Assistant itself on Python 3.14."""
    environ = _home_assistant(session, min(HOME_ASSISTANTS))
    session.run(
        *TESTS_OF_COMPONENT,
        "mypy",
        "--config-file=tests/homeassistant/mypy.ini",
        "packages/vieneu-ha-integration/src/vieneu_ha",
        external=True,
    )
    session.run(
        *TESTS_OF_COMPONENT,
        *PYTEST_OF_COMPONENT,
        f"--cov={COMPONENT}",
        "--cov-config=tests/homeassistant/coveragerc",
        "--cov-report=term-missing:skip-covered",
        f"--cov-fail-under={COMPONENT_COVERED}",
        *SIDE_BY_SIDE,
        "tests/homeassistant",
        *session.posargs,
        external=True,
        env=environ,
    )
    whole = ("--include=*/config_flow.py,*/discovery_flow.py,*/options_flow.py", "--fail-under=100")
    config = "--rcfile=tests/homeassistant/coveragerc"
    session.run(
        *TESTS_OF_COMPONENT, "coverage", "report", config, *whole, external=True, env=environ
    )


@nox.session(venv_backend="none", default=False, name="homeassistant-2026.11")
def homeassistant_newest(session: nox.Session) -> None:
    """Run the tests that start a real Home Assistant with 2026.11."""
    environ = _home_assistant(session, max(HOME_ASSISTANTS))
    session.run(
        *TESTS_OF_COMPONENT,
        *PYTEST_OF_COMPONENT,
        *(f"tests/homeassistant/test_{name}.py" for name in REAL),
        *session.posargs,
        external=True,
        env=environ,
    )


@nox.session(venv_backend="none")
def browser(session: nox.Session) -> None:
    """Use the relay's pages in Chromium, which is fetched where there is none."""
    said = session.run("scripts/chromium", external=True, silent=True)
    session.env["CHROMIUM"] = str(said).strip().splitlines()[-1]
    _test(session, "pytest", *SIDE_BY_SIDE, "tests/browser", *session.posargs)


@nox.session(venv_backend="none")
def end_to_end(session: nox.Session) -> None:
    """Run the long tests of the whole, at the speed of users: without a tracer."""
    _test(session, "pytest", *SIDE_BY_SIDE, "tests/end_to_end", *session.posargs)


@nox.session(venv_backend="none")
def ray(session: nox.Session) -> None:
    """Run the server on a real Ray of this machine: replicas that come, go and die."""
    _test(session, "pytest", "tests/cluster", *session.posargs)


@nox.session(venv_backend="none")
def chaos(session: nox.Session) -> None:
    """Break a real system while it speaks, and hear what is lost: `nox -s chaos -- --help`."""
    path = os.pathsep.join(filter(None, ["tests/support", os.environ.get("PYTHONPATH")]))
    session.run(
        *("python", "-m", "chaos", *(session.posargs or SHORT_CHAOS)),
        env={"PYTHONPATH": path},
        interrupt_timeout=60.0,
        terminate_timeout=20.0,
    )


@nox.session(venv_backend="none")
def coverage(session: nox.Session) -> None:
    """Run all tests but those of the other sessions, and hold branch coverage to its floor."""
    session.run("coverage", "erase")
    _test(
        session,
        "coverage",
        "run",
        "-m",
        "pytest",
        *SIDE_BY_SIDE,
        WITHOUT_PACKAGES,
        WITHOUT_END_TO_END,
        WITHOUT_BROWSER,
        WITHOUT_CLUSTER,
        "--durations=25",
        *session.posargs,
    )
    session.run("coverage", "combine", "--quiet")
    for package, floor in COVERED.items():
        session.run("coverage", "report", f"--include=*/{package}/*", f"--fail-under={floor}")


@nox.session(venv_backend="none", default=False)
def loaded(session: nox.Session) -> None:
    """Run the tests of this repository beside four busy loops: none may depend on the speed.

    Those of Home Assistant and of the packages are left out (mostly downloads), and a Ray, which
    has fifteen processes of its own.
    """
    said = session.run("scripts/chromium", external=True, silent=True)
    session.env["CHROMIUM"] = str(said).strip().splitlines()[-1]
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        _test(session, "pytest", *SIDE_BY_SIDE, WITHOUT_PACKAGES, WITHOUT_CLUSTER, *session.posargs)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@nox.session(venv_backend="none", default=False)
@nox.parametrize("suite", ["bookworm", "trixie"])
def fresh_machine(session: nox.Session, suite: str) -> None:
    """Run README's two commands in a bare Debian: python3, pip and git, and no more."""
    check = subprocess.run(  # noqa: S603 - our own program
        [Path("scripts/fresh-machine").resolve(), "--check"],
        check=False,
        capture_output=True,
        text=True,
    )
    if check.returncode:
        session.skip(check.stderr.strip())
    session.run("scripts/fresh-machine", suite, *session.posargs, external=True)


@nox.session(venv_backend="none", default=False)
def hacs(session: nox.Session) -> None:
    """Make the zip that HACS installs, in dist/hacs."""
    session.run("python", "packages/vieneu-ha-integration/make_hacs.py", "dist/hacs")


@nox.session(venv_backend="none", default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure; see benchmarks/README.md."""
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session(python="3.11", default=False)
def understood(session: nox.Session) -> None:
    """Measure how well a recogniser understands each voice; see benchmarks/README.md."""
    _sync(session, "--only-group=understood", "--frozen")
    session.run("python", "benchmarks/understood.py", *session.posargs)


def _test(session: nox.Session, *command: str) -> None:
    """Run pytest; after Ctrl-C it has a minute to sum up and to end its children, not 0.3 s."""
    session.run(*command, interrupt_timeout=60.0, terminate_timeout=20.0)


def _sync(session: nox.Session, *options: str) -> None:
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": session.virtualenv.location}
    session.run_install(
        "uv",
        "sync",
        "--quiet",
        f"--python={session.virtualenv.location}",
        *options,
        env=environment,
    )


def _home_assistant(session: nox.Session, release: str) -> dict[str, str]:
    """Make the environments of the component's tests; return the variables that they read."""
    notes = Path(session.create_tmp()).resolve()
    session.run("python", "scripts/homeassistant.py", release, str(notes))
    environ: dict[str, str] = json.loads((notes / "environ.json").read_text("utf-8"))
    return environ
