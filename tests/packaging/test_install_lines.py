"""Every install line of the documentation, in a clean environment, and what its page shows next.

Each line runs twice: as it is shown today, in a copy of this checkout; and as it will be shown once
the packages are published, where a folder of the wheels is all that stands for PyPI
(``PIP_FIND_LINKS``; with ``VIENEU_FROM_PYPI=1``, after a release, PyPI itself is asked). All else
comes from PyPI.

PyTorch, the SDK and what is compiled (``torch``, ``watermark``, ``sdk``, ``gguf``) are gigabytes or
minutes: those lines are resolved (``--dry-run``), and their commands do not run, except with
``VIENEU_INSTALL_ALL=1``, as in the workflow's job of the install lines.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest
from child_process import child
from distributions import NOT_THE_PROJECT
from guard import GUARD_S
from install_pages import ROOT, Shown, shown_lines

from vieneu_core.installation import PUBLISHED

BUILD_WHEELS = "pip wheel --no-deps --wheel-dir dist packages/*"
HEAVY = re.compile(r"\[(?:[\w-]+,)*(?:torch|watermark|sdk|gguf)(?:,[\w-]+)*\]")
LINES = shown_lines()
BY_PIP = next(shown for shown in LINES if shown.where.startswith("docs/quickstart.md"))
"""The line that pip itself runs; uv runs the others, ten times as fast."""
FORMS = ["released"] if PUBLISHED else ["today", "released"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def shell(line: str, *, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=cwd,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done


@dataclass
class Site:
    """A copy of this checkout with its wheels, and environments that lines were run in."""

    clone: Path
    uv: str
    environments: dict[tuple[str, bool], Path] = field(default_factory=dict)

    def environment(self, line: str, *, by_pip: bool) -> Path:
        """Return a clean environment in which a line was run, the same one for the same line."""
        key = (line, by_pip)
        if key not in self.environments:
            home = self.clone.parent / f"env-{len(self.environments)}"
            make_environment(self.uv, home, "--seed" if by_pip else "")
            self.install(line, home, by_pip=by_pip)
            self.environments[key] = home
        return self.environments[key]

    def install(self, line: str, home: Path, *options: str, by_pip: bool) -> str:
        """Run a line as it is; where uv runs it, its name is put before that of pip."""
        command = line if by_pip else line.replace("pip ", f"{self.uv} pip ", 1)
        environ = {"VIRTUAL_ENV": str(home), "PATH": f"{home / 'bin'}:{os.environ['PATH']}"}
        if "packages/" not in line and ".whl" not in line and not from_pypi():
            wheels = str(self.clone / "dist")
            environ |= {"PIP_FIND_LINKS": wheels, "UV_FIND_LINKS": wheels}
        return shell(
            shlex.join([*shlex.split(command), *options]), cwd=self.clone, **environ
        ).stderr


def make_environment(uv: str, home: Path, seed: str = "") -> None:
    """Make a clean environment; ``--seed`` puts pip into it.

    By uv, because Debian's Python makes none with pip where python3-venv is not installed.
    """
    shell(
        f"{uv} venv --quiet {seed} --python {shlex.quote(sys.executable)} {home}", cwd=home.parent
    )


def from_pypi() -> bool:
    return os.environ.get("VIENEU_FROM_PYPI") == "1"


@pytest.fixture(scope="session")
def site(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Copy this checkout, and build the wheels as the documentation says."""
    assert PUBLISHED or BUILD_WHEELS in (ROOT / "docs/quickstart.md").read_text("utf-8")
    clone = tmp_path_factory.mktemp("site") / "clone"
    shutil.copytree(ROOT, clone, ignore=NOT_THE_PROJECT)
    builder = clone.parent / "builder"
    make_environment(uv, builder, "--seed")
    shell(f"{builder}/bin/{BUILD_WHEELS}", cwd=clone)
    assert len(list((clone / "dist").glob("*.whl"))) == 3
    return Site(clone, uv)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shown", LINES, ids=lambda shown: shown.where)
def test_a_documented_line_installs_what_its_page_shows_next(
    site: Site, shown: Shown, form: str, tmp_path: Path
) -> None:
    line = shown.line if form == "today" else shown.released
    by_pip = shown == BY_PIP
    if HEAVY.search(line) and os.environ.get("VIENEU_INSTALL_ALL") != "1":
        home = tmp_path / "env"
        make_environment(site.uv, home)
        assert "+ vieneu-core" in site.install(line, home, "--dry-run", by_pip=False)
    else:
        programs = site.environment(line, by_pip=by_pip) / "bin"
        run_shown(programs, shown.command, tmp_path)
        if "gguf" in line and "embedded" in line:
            reported = run(programs / "vieneu", ["doctor"], tmp_path)
            # Of this machine alone: what the tests lend to others (LD_LIBRARY_PATH) is cut off.
            assert (
                re.search(r"✓ +Engine +gguf", reported) or "apt-get install libgomp1" in reported
            ), reported


def run_shown(programs: Path, command: str, folder: Path) -> None:
    """Run the command that a page shows; what it takes from elsewhere is cut off."""
    if not command:  # the page leaves the start to another file
        assert sorted(programs.glob("vieneu*"))
        return
    program, *arguments = shlex.split(command)
    if program == "vieneu-server":
        serve(programs / program, arguments, ["--engine", "embedded", "--port", "8000"], folder)
    elif program == "vieneu-relay":
        serve(programs / program, [*arguments, "--port", "8000"], ["--port", "8000"], folder)
    elif program == "vieneu-ha":
        (folder / "configuration.yaml").touch()
        arguments = [str(folder) if a == "/config" else a for a in arguments]
        assert "Restart Home Assistant" in run(programs / program, arguments, folder)
        assert (folder / "custom_components/vieneu/manifest.json").is_file()
    elif arguments[:2] == ["models", "get"]:  # from the hub, which a test cannot reach
        assert arguments[2] in run(programs / program, ["models"], folder)
    elif arguments[:2] == ["models", "use"]:
        assert shlex.join(["vieneu", *arguments]) in run(programs / program, ["doctor"], folder)
    else:
        speak(programs / program, arguments, folder)


def speak(program: Path, arguments: list[str], folder: Path) -> None:
    if arguments == ["say"]:  # the page names the command alone
        arguments = ["say", "Xin chào."]
    if arguments[0] == "say" and "-o" not in arguments:
        arguments += ["-o", "said.wav"]  # this machine may have no sound card
    run(program, arguments, folder)
    if "-o" in arguments:
        assert (folder / arguments[arguments.index("-o") + 1]).stat().st_size > 1000


def serve(program: Path, arguments: list[str], startable: list[str], folder: Path) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\s", run(program, ["--version"], folder))
    if arguments != startable:
        return  # a model of gigabytes, a tunnel, or folders of the system
    environ = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    command: list[str | Path] = [program, *arguments[:-1], "0"]
    with child(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=environ) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        assert said.startswith("Listening on http://127.0.0.1:")
        while not is_ready(said.split()[-1]):
            assert server.poll() is None
            time.sleep(0.1)
        server.send_signal(signal.SIGTERM)
        assert server.wait(GUARD_S) == 0


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=GUARD_S) as answer:  # noqa: S310 - our own server's address
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def run(program: Path, arguments: list[str], folder: Path) -> str:
    done = subprocess.run(
        [program, *arguments],
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )
    assert done.returncode == 0, f"{program.name} {arguments}: {done.stderr}"
    return done.stdout
