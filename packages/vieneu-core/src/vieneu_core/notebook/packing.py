"""Reproducible packing of a package into a wheel.

It imports only the standard library: `hatch_build.py` loads this file by its path.
https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import base64
import hashlib
import io
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Earliest time that a zip can store."""
_WHEEL = "Wheel-Version: 1.0\nGenerator: vieneu-core\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_LINE_CHARS = 120


def base64_lines(content: bytes) -> list[str]:
    """Return a content that a notebook carries as base64, in lines."""
    text = base64.b64encode(content).decode()
    return [text[at : at + _LINE_CHARS] for at in range(0, len(text), _LINE_CHARS)]


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return a wheel with these files, and its RECORD.

    Raises:
        ValueError: there is no file in a folder ``.dist-info``.
    """
    infos = {name.partition("/")[0] for name in files if ".dist-info/" in name}
    if len(infos) != 1:
        raise ValueError(f"a wheel has one folder .dist-info, not {len(infos)}")
    record = f"{infos.pop()}/RECORD"
    lines = [_record_line(name, files[name]) for name in sorted(files)]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in sorted(files):
            archive.writestr(_entry(name), files[name], zipfile.ZIP_DEFLATED, 9)
        content = "\n".join([*lines, f"{record},,", ""])
        archive.writestr(_entry(record), content, zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()


def pack_project(folder: Path) -> tuple[str, bytes]:
    """Return file name and content of a project's wheel; the package is in ``src``.

    Raises:
        OSError: a file cannot be read.
        ValueError: ``pyproject.toml`` is invalid, or lacks required metadata.
    """
    stated = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    try:
        project = stated["project"]
        stem = f"{project['name'].replace('-', '_')}-{project['version']}"
        files = {**dict(_sources(folder / "src")), **_info(folder, stem, project)}
    except KeyError as error:
        raise ValueError(f"{folder / 'pyproject.toml'} has no {error}") from None
    return f"{stem}-py3-none-any.whl", pack(files)


def _sources(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if path.is_file() and not hidden and path.suffix != ".pyc":
            yield name.as_posix(), path.read_bytes()


def _info(folder: Path, stem: str, project: dict[str, Any]) -> dict[str, bytes]:
    info = f"{stem}.dist-info"
    return {
        f"{info}/METADATA": _metadata(project, (folder / project["readme"]).read_text("utf-8")),
        f"{info}/WHEEL": _WHEEL.encode(),
        f"{info}/entry_points.txt": _entry_points(project),
        **{
            f"{info}/licenses/{name}": (folder / name).read_bytes()
            for name in project["license-files"]
        },
    }


def _metadata(project: dict[str, Any], readme: str) -> bytes:
    # https://packaging.python.org/en/latest/specifications/core-metadata/
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        *(f"License-File: {name}" for name in project["license-files"]),
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {each}" for each in project["dependencies"]),
    ]
    for extra in project.get("optional-dependencies", {}):
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {_of_extra(each, extra)}" for each in _needs(project, extra)]
    lines += ["Description-Content-Type: text/markdown", "", readme]
    return "\n".join(lines).encode()


def _of_extra(requirement: str, extra: str) -> str:
    """Return a requirement under the condition of an extra, and of its own if it has one."""
    what, _, condition = requirement.partition(";")
    own = f"({condition.strip()}) and " if condition else ""
    return f'{what.strip()}; {own}extra == "{extra}"'


def _needs(project: dict[str, Any], extra: str) -> Iterator[str]:
    """Yield the requirements of an extra; other extras of the project are expanded."""
    for each in project["optional-dependencies"][extra]:
        if each.startswith(f"{project['name']}["):
            for other in each.partition("[")[2].rstrip("]").split(","):
                yield from _needs(project, other.strip())
        else:
            yield each


def _entry_points(project: dict[str, Any]) -> bytes:
    groups = {"console_scripts": project.get("scripts", {}), **project.get("entry-points", {})}
    lines: list[str] = []
    for group, entries in groups.items():
        lines += [f"[{group}]", *(f"{name} = {at}" for name, at in entries.items()), ""]
    return "\n".join(lines).encode()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = 0o644 << 16
    return entry


def _record_line(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return f"{name},sha256={digest.decode()},{len(content)}"
