"""What is inside the wheels and sdists, and that they speak where nothing else of ours is."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import wave
import zipfile
from configparser import ConfigParser
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from distributions import Built, call
from guard import GUARD_S
from packaging.requirements import Requirement
from shared_folders import SharedFolders

from vieneu_core.notebook import Wheel

ROOT = Path(__file__).parents[2]
PROJECTS = {path.parent.name: path for path in sorted(ROOT.glob("packages/*/pyproject.toml"))}
MODULES = {
    "vieneu-core": "vieneu_core",
    "vieneu-colab-server": "vieneu_colab_server",
    "vieneu-ha-integration": "vieneu_ha",
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="session")
def clean_environment(uv: str, built: Built, shared: SharedFolders) -> Path:
    """Make an environment that holds our wheels, and from PyPI what they ask for."""
    by_name = {wheel.name.partition("-")[0]: wheel for wheel in built.wheels}
    core = f"vieneu-core[cli,embedded] @ {by_name.pop('vieneu_core').as_uri()}"

    def make(home: Path) -> None:
        call(uv, "venv", "--quiet", "--python", sys.executable, home)
        install = (uv, "pip", "install", "--quiet", "--python", home)
        call(*install, core, *by_name.values(), cwd=home.parent)

    return shared.made("clean", make)


def names_in(archive: Path) -> list[str]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.namelist()
    with tarfile.open(archive) as sdist:
        return [name.partition("/")[2] for name in sdist.getnames()]


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def archive_of(archives: tuple[Path, ...], project: str) -> Path:
    (found,) = [a for a in archives if a.name.startswith(project.replace("-", "_") + "-")]
    return found


def own_version(project: str) -> str:
    version: str = tomllib.loads(PROJECTS[project].read_text("utf-8"))["project"]["version"]
    return version


@pytest.mark.parametrize("project", sorted(MODULES))
def test_a_wheel_holds_its_package_and_nothing_else(built: Built, project: str) -> None:
    names = names_in(archive_of(built.wheels, project))
    top = {name.partition("/")[0] for name in names}
    info = {name for name in top if name.endswith(".dist-info")}

    assert top - info == {MODULES[project]}, "one package, no tests, no custom_components on top"
    assert f"{MODULES[project]}/py.typed" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    source = {
        str(path.relative_to(PROJECTS[project].parent / "src"))
        for path in PROJECTS[project].parent.glob("src/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert source <= set(names), "every module is in the wheel, and what lies beside it"


@pytest.mark.parametrize("project", sorted(MODULES))
def test_an_sdist_holds_what_a_wheel_is_built_from(built: Built, project: str) -> None:
    names = names_in(archive_of(built.sdists, project))

    assert {"pyproject.toml", "README.md", "LICENSE", f"src/{MODULES[project]}/py.typed"} <= set(
        names
    )
    assert not [name for name in names if name.startswith((".venv", "tests/", "dist/"))]


@pytest.mark.parametrize("project", sorted(MODULES))
def test_metadata_is_complete(built: Built, project: str) -> None:
    metadata = metadata_of(archive_of(built.wheels, project))
    text = metadata.get_payload()

    assert metadata["Name"] == project
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"].startswith(">=3.")
    assert isinstance(text, str)
    assert len(text) > 200, "the package's page has a text of its own"
    links = dict(link.split(", ") for link in metadata.get_all("Project-URL", []))
    assert set(links) == {"Homepage", "Documentation", "Source", "Issues", "Changelog"}
    assert all(url.startswith("https://") for url in links.values())
    assert links["Source"].endswith(f"/packages/{project}")


def test_the_core_carries_the_wheel_of_the_server_in_whatever_is_built(
    uv: str, built: Built, tmp_path: Path
) -> None:
    """The wheel comes from the sdist, and another one from the source itself."""
    project = PROJECTS["vieneu-core"].parent
    build = (uv, "build", "--quiet", "--wheel", f"--python={sys.executable}")
    call(*build, f"--out-dir={tmp_path}", project, cwd=ROOT)
    name = f"vieneu_colab_server-{own_version('vieneu-colab-server')}-py3-none-any.whl"
    found = []
    for path in (archive_of(built.wheels, "vieneu-core"), next(tmp_path.glob("*.whl"))):
        with zipfile.ZipFile(path) as archive:
            found.append(archive.read(f"vieneu_core/notebook/{name}"))
    with tarfile.open(archive_of(built.sdists, "vieneu-core")) as sdist:
        (member,) = [each for each in sdist.getnames() if each.endswith(f"notebook/{name}")]
        content = sdist.extractfile(member)
        assert content is not None
        found.append(content.read())

    assert set(found) == {Wheel.of_project(PROJECTS["vieneu-colab-server"].parent).content}


@pytest.mark.parametrize("project", ["vieneu-core", "vieneu-colab-server"])
def test_what_a_notebook_carries_is_what_the_build_makes(
    built: Built, project: str, tmp_path: Path
) -> None:
    """Files, commands and needs are those of the published wheel."""
    packed = Wheel.of_project(PROJECTS[project].parent)
    ours = tmp_path / packed.name
    ours.write_bytes(packed.content)
    theirs = archive_of(built.wheels, project)

    assert ours.name == theirs.name
    assert set(names_in(ours)) == {name for name in names_in(theirs) if not name.endswith(".whl")}
    for one in (name for name in names_in(ours) if ".dist-info/" not in name):
        assert content_of(ours, one) == content_of(theirs, one)
    (commands,) = [name for name in names_in(ours) if name.endswith("entry_points.txt")]
    assert commands_in(ours, commands) == commands_in(theirs, commands)
    stated = [metadata_of(wheel) for wheel in (ours, theirs)]
    assert needs_of(stated[0]) == needs_of(stated[1])
    for field in ("Name", "Version", "Requires-Python", "License-Expression", "Summary"):
        assert stated[0][field] == stated[1][field]
    assert stated[0].get_payload() == stated[1].get_payload()


def content_of(wheel: Path, name: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name)


def commands_in(wheel: Path, name: str) -> dict[str, dict[str, str]]:
    parser = ConfigParser()
    parser.read_string(content_of(wheel, name).decode())
    return {section: dict(parser[section]) for section in parser.sections()}


def needs_of(metadata: Message) -> set[Requirement]:
    return {Requirement(text) for text in metadata.get_all("Requires-Dist", [])}


def test_all_packages_have_one_version_and_ask_for_it_exactly() -> None:
    versions = {project: own_version(project) for project in PROJECTS}
    assert len(set(versions.values())) == 1, versions
    for path in PROJECTS.values():
        for dependency in tomllib.loads(path.read_text("utf-8"))["project"]["dependencies"]:
            name = re.split(r"[\[=<>!~ ]", dependency)[0]
            pin = dependency.partition("==")[2]
            if name.startswith("vieneu"):
                assert pin == versions[name], f"{path.parent.name} asks for {dependency}"


@pytest.mark.parametrize("project", sorted(MODULES))
def test_the_module_knows_the_version_of_its_package(clean_environment: Path, project: str) -> None:
    program = f"import {MODULES[project]} as m; print(m.__version__, m.__file__)"
    out = subprocess.run(
        [clean_environment / "bin/python", "-I", "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
    ).stdout
    version, _, where = out.strip().partition(" ")

    assert version == own_version(project)
    assert Path(where).is_relative_to(clean_environment), "not the source tree"


def test_the_installed_command_speaks(clean_environment: Path, tmp_path: Path) -> None:
    subprocess.run(
        [clean_environment / "bin/vieneu", "say", "Xin chào ngôi nhà.", "-o", "xin-chao.wav"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=GUARD_S,
    )
    with wave.open(str(tmp_path / "xin-chao.wav")) as audio:
        seconds = audio.getnframes() / audio.getframerate()
        samples = audio.readframes(audio.getnframes())

    assert 0.5 < seconds < 10
    assert any(samples)


@pytest.mark.parametrize("command", ["vieneu", "vieneu-server"])
def test_the_installed_commands_help(clean_environment: Path, command: str) -> None:
    out = subprocess.run(
        [clean_environment / "bin" / command, "--help"],
        check=True,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
    ).stdout

    assert "Usage" in out


def test_without_the_extras_the_core_imports_and_the_command_names_the_pip_line(
    uv: str, built: Built, tmp_path: Path
) -> None:
    home = tmp_path / "bare"
    wheel = archive_of(built.wheels, "vieneu-core")
    subprocess.run(
        [uv, "venv", "--quiet", "--python", sys.executable, home], check=True, timeout=GUARD_S
    )
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", home, wheel],
        cwd=tmp_path,
        check=True,
        timeout=GUARD_S,
    )
    subprocess.run(
        [home / "bin/python", "-c", "import vieneu_core; vieneu_core.RemoteBackend"],
        check=True,
        timeout=GUARD_S,
    )
    reported = subprocess.run(
        [home / "bin/vieneu", "voices"],
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )

    assert reported.returncode != 0
    command = reported.stderr.partition("Install them: ")[2]
    assert " -m pip " in command or " pip install --python " in command
    subprocess.run(["bash", "-euc", command], cwd=tmp_path, check=True, timeout=GUARD_S)
    subprocess.run(
        [home / "bin/vieneu", "--help"], check=True, timeout=GUARD_S, stdout=subprocess.DEVNULL
    )
    assert "Traceback" not in reported.stderr
