"""Conventions of this repository, as checks."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from guard import GUARD_S

from vieneu_core.errors import VieneuError, all_error_classes

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    {*ROOT.glob("packages/*/src/**/*.py"), *ROOT.glob("custom_components/**/*.py")},
)
PYTHON = [
    *SOURCES,
    *sorted(ROOT.glob("packages/*/*.py")),
    *(
        path
        for folder in ("tests", "benchmarks", "examples", "docs", "notebooks", "scripts")
        for path in sorted(ROOT.glob(f"{folder}/**/*.py"))
    ),
    *sorted(ROOT.glob("*.py")),
]
VAGUE_NAMES = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
PAGES = [
    path
    for ending in ("css", "js", "html")
    for path in sorted(ROOT.glob(f"packages/**/src/**/*.{ending}"))
]
MAX_LINES = 300
LONGER_FOR_A_REASON = {"packages/vieneu-core/src/vieneu_core/errors.py": 775}
"""The exception tree is one table; split, it could not be read as a whole."""
OWN_NAMES = {"create", "main"}
"""What an engine, and a program, is started by."""
WORKPLACE = re.compile(r"/(work|root|home/[a-z]\w*|tmp/\w)/")
# A test may have made classes of its own.
OUR_ERRORS = [cls for cls in all_error_classes() if cls.__module__ == VieneuError.__module__]


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("only a checkout knows which files are the project's")
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    out = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=GUARD_S
    )
    return [path for name in out.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def lines_with(pattern: str, paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if path != Path(__file__) and re.search(pattern, line)
    ]


def test_modules_are_named_after_what_they_hold() -> None:
    assert [
        path for path in PYTHON if path.stem in VAGUE_NAMES or path.parent.name in VAGUE_NAMES
    ] == []


@pytest.mark.parametrize(
    "path", [*PYTHON, *PAGES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_a_file_fits_in_one_reading(path: Path) -> None:
    limit = LONGER_FOR_A_REASON.get(path.relative_to(ROOT).as_posix(), MAX_LINES)

    assert len(path.read_text("utf-8").splitlines()) <= limit


@pytest.mark.parametrize(
    "package", sorted(ROOT.glob("packages/*/src/*")), ids=lambda path: path.name
)
def test_each_package_is_typed(package: Path) -> None:
    assert (package / "py.typed").is_file()


def test_every_lint_exception_names_its_rule_and_its_reason() -> None:
    assert lines_with(r"#\s*noqa\b(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* - \S)", PYTHON) == []


def test_every_type_exception_names_its_rule_and_in_the_packages_its_reason() -> None:
    assert lines_with(r"#\s*type: ignore(?!\[[a-z, -]+\])", PYTHON) == []
    assert lines_with(r"#\s*type: ignore(?!\[[a-z, -]+\]  # \S)", SOURCES) == []


def test_error_codes_are_unique_and_fit_for_the_wire() -> None:
    codes = Counter(
        cls.code for cls in all_error_classes() if cls.__module__ == VieneuError.__module__
    )

    assert [code for code, n in codes.items() if n > 1] == []
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []


def test_every_error_says_what_to_do() -> None:
    assert [cls for cls in OUR_ERRORS if not cls.default_remedy or not cls.title] == []


def test_every_error_is_drawn_in_the_tree_of_its_module() -> None:
    import vieneu_core.errors

    drawn = set(re.findall(r"\b[A-Z]\w+Error\b", vieneu_core.errors.__doc__ or ""))
    existing = {
        cls.__name__ for cls in all_error_classes() if cls.__module__ == VieneuError.__module__
    }

    assert drawn == existing


def test_no_file_speaks_of_the_machine_that_it_was_written_on() -> None:
    described = []
    for path in tracked_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if WORKPLACE.search(text):
            described.append(str(path.relative_to(ROOT)))

    assert described == []


def test_json_from_elsewhere_is_read_in_one_place() -> None:
    own_files = {
        "untrusted_json.py",
        "catalog.py",  # texts of the package
        "installation.py",  # written by the installer
        "rendering.py",  # the notebook that was just rendered
        "installer.py",  # the component in the package
        "xllama.py",  # events of a library in this process
    }
    others = [path for path in SOURCES if path.name not in own_files]
    assert lines_with(r"\bjson\.loads?\(", others) == []


def test_scripts_are_executable_and_stop_at_the_first_failure() -> None:
    for name in ("scripts/speak", "scripts/test", ".ci/run"):
        script = ROOT / name
        assert script.stat().st_mode & 0o111, name
    for name in ("scripts/speak", "scripts/test"):
        assert "set -euo pipefail" in (ROOT / name).read_text("utf-8")


def test_no_test_waits_for_ever_for_a_child_process() -> None:
    """Popen's own context does: tests use `child_process.child`."""
    waits = re.compile(r"with (subprocess\.Popen\(|process:)")
    found = [p for p in (ROOT / "tests").rglob("*.py") if waits.search(p.read_text("utf-8"))]
    assert [path.name for path in found] == ["test_sessions.py"], "which quotes such a test"


def test_a_name_of_the_tests_parts_means_one_thing() -> None:
    """Two functions of one name in `tests/support` are one, or need two names."""
    support = ROOT / "tests/support"
    programs = support / "fakes"  # each in a process of its own
    found = Counter(
        node.name
        for path in sorted(support.rglob("*.py"))
        if not path.is_relative_to(programs)
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    )
    public = {name: n for name, n in found.items() if not name.startswith("_")}
    assert {name for name, n in public.items() if n > 1} <= OWN_NAMES
