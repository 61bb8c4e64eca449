"""The documentation says what the code says."""

from __future__ import annotations

import importlib.util
import json
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from guard import GUARD_S
from pydantic import BaseModel

import vieneu_colab_server
import vieneu_core
from vieneu_colab_server.middleware.shared_counts import RateStorageError
from vieneu_colab_server.settings import ENV_PREFIX, ServerSettings
from vieneu_core import RemoteTimeouts, Settings, errors, load_settings
from vieneu_core.cli.error_messages import EXPLAINED_ON_COLAB_PAGE
from vieneu_core.config import TunnelKind
from vieneu_core.errors import BackendError, RequestError, all_error_classes
from vieneu_core.notebook.failures import CODES
from vieneu_core.wire import routes

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NEED_RAY = {
    "vieneu_colab_server.replicas.calls",
    "vieneu_colab_server.replicas.voice_affinity",
}
"""Modules that only Ray's own processes import; Ray warns of itself when it is imported."""
OURS = [cls for cls in all_error_classes() if cls.__module__ == errors.__name__]


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_tables", DOCS / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def filled(tables: ModuleType, page: str) -> str:
    text: str = tables.fill((DOCS / page).read_text("utf-8"))
    return text


def test_troubleshooting_names_every_code_with_its_remedy(tables: ModuleType) -> None:
    page = filled(tables, "troubleshooting.md")

    for cls in OURS:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{cls.code}` |"))
        assert cls.title in row
        assert cls.default_remedy in row


def test_troubleshooting_speaks_only_of_codes_that_exist() -> None:
    page = (DOCS / "troubleshooting.md").read_text("utf-8")
    headings = re.findall(r"^### .*$", page, re.MULTILINE)
    named = {code for heading in headings for code in re.findall(r"`(\w+)`", heading)}

    assert named
    assert named <= {cls.code for cls in OURS}


def test_the_architecture_page_draws_the_whole_tree(tables: ModuleType) -> None:
    page = filled(tables, "architecture.md")

    for cls in OURS:
        assert cls.__name__ in page


def test_the_wire_page_names_every_code_that_can_cross(tables: ModuleType) -> None:
    page = filled(tables, "wire.md")

    for cls in OURS:
        if issubclass(cls, (RequestError, BackendError)):
            row = rf"^\| `{cls.code}` \| [45]\d\d \| `{cls.__name__}` \|$"
            assert re.search(row, page, re.MULTILINE), cls.code


def test_the_wire_page_names_every_path_header_and_format(tables: ModuleType) -> None:
    page = filled(tables, "wire.md")
    constants = [value for name, value in vars(routes).items() if name.isupper()]
    words = [word for value in constants for word in ([value] if isinstance(value, str) else value)]

    known_elsewhere = {routes.PROBLEM_JSON, routes.NGROK_ERROR_HEADER}
    assert [word for word in words if word not in page and word not in known_elsewhere] == []


def test_the_settings_file_that_is_shown_holds_every_default(tmp_path: Path) -> None:
    page = (DOCS / "configuration.md").read_text("utf-8")
    shown = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0]
    file = tmp_path / "config.yaml"
    file.write_text(shown, "utf-8")

    assert load_settings(file, {}) == Settings()
    names = set(re.findall(r"^ *(\w+):", shown, re.MULTILINE))
    sections = {name: value for name, value in Settings() if isinstance(value, BaseModel)}
    fields = {field for section in sections.values() for field in type(section).model_fields}
    assert names == fields | set(Settings.model_fields)


def test_the_servers_readme_lists_every_variable_with_its_default() -> None:
    readme = (ROOT / "packages/vieneu-colab-server/README.md").read_text("utf-8")

    for name, field in ServerSettings.model_fields.items():
        default = "" if field.is_required() else f"`{json.dumps(field.get_default())}`"
        assert f"| `{ENV_PREFIX}{name.upper()}` | {default}" in readme


def test_the_deadlines_that_are_stated_are_those_of_the_client() -> None:
    page = (DOCS / "configuration.md").read_text("utf-8")
    limits = RemoteTimeouts()

    between = (
        "pause between two pieces of audio, beyond the playing time of the audio received ahead"
    )
    for words, seconds in {
        "connection": limits.connect_s,
        "first byte": limits.first_byte_s,
        between: limits.between_chunks_s,
    }.items():
        assert f"| {words} | {seconds:g} s |" in page
    assert f"`timeout_seconds`, {limits.total_s:g} s" in page


def test_a_placeholder_that_nobody_fills_stops_the_build(tables: ModuleType) -> None:
    with pytest.raises(Exception, match="No table 'nonsense'"):
        tables.fill("<!-- table: nonsense -->")


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )

    assert done.returncode == 0, done.stderr
    pages = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")}
    built = {page.relative_to(tmp_path) for page in tmp_path.rglob("*.html")}
    assert built >= pages
    for page in tmp_path.rglob("*.html"):
        html = page.read_text("utf-8")
        assert "<!-- table" not in html
        assert not re.search(r'<(script|link)[^>]+(src|href)="https?://', html), (
            "loads from elsewhere"
        )


def test_every_class_and_function_of_the_front_is_in_the_reference(tables: ModuleType) -> None:
    pages = [filled(tables, f"reference/{page.name}") for page in DOCS.glob("reference/*.md")]
    documented = set(re.findall(r"^::: (\S+)$", "\n".join(pages), re.MULTILINE))
    values = {name: getattr(vieneu_core, name) for name in vieneu_core.__all__}

    assert [
        name for name, value in values.items() if f"{value.__module__}.{name}" not in documented
    ] == []


def test_every_public_part_is_in_the_reference(tables: ModuleType) -> None:
    raw = "\n".join(page.read_text("utf-8") for page in DOCS.glob("reference/*.md"))
    listed = set(re.findall(r"^<!-- reference: (\w+) -->$", raw, re.MULTILINE))
    documented = set(re.findall(r"^::: (\S+)$", tables.fill(raw), re.MULTILINE))
    public = re.findall(
        r"`(?:vieneu_core\.)?(\w+)`", (vieneu_core.__doc__ or "").split("of the package:")[1]
    )

    assert {"clock", "credentials", "router"} <= set(public)
    assert set(public) - listed == {"wire"}, "which wire.md describes"
    assert "vieneu_core.credentials.auth_token.new_auth_token" in documented
    assert [
        name
        for name in vieneu_colab_server.__all__
        if name != "__version__"
        and f"{getattr(vieneu_colab_server, name).__module__}.{name}" not in documented
    ] == []


SHORT = {
    "core/": "packages/vieneu-core/src/vieneu_core/",
    "server/": "packages/vieneu-colab-server/src/vieneu_colab_server/",
    "component/": "custom_components/vieneu/",
}
"""What the table of contributing.md writes for a folder."""


def test_where_things_are_names_what_exists() -> None:
    page = (DOCS / "contributing.md").read_text("utf-8")
    prefixes = "|".join(SHORT)
    rows = re.findall(rf"^\| .*`(?:{prefixes}).*$", page, re.MULTILINE)
    named = set(re.findall(rf"`((?:{prefixes})[\w/.]+)`", "\n".join(rows)))

    assert len(rows) > 12
    assert [
        path
        for path in sorted(named)
        if not (ROOT / re.sub(f"^({prefixes})", lambda match: SHORT[match[1]], path)).exists()
    ] == []


def test_the_colab_page_explains_whatever_links_to_it() -> None:
    headings = set(
        re.findall(r"^#### (\w+)$", (DOCS / "colab.md").read_text("utf-8"), re.MULTILINE)
    )
    for module in pkgutil.walk_packages(vieneu_colab_server.__path__, "vieneu_colab_server."):
        if not module.name.endswith("__main__") and module.name not in NEED_RAY:
            importlib.import_module(module.name)
    relay = "vieneu_colab_server.relay."  # which does not run on Colab
    ours = {
        cls.code
        for cls in all_error_classes()
        if cls.__module__.startswith("vieneu_colab_server.")
        and not cls.__module__.startswith(relay)
    }
    ours.discard(RateStorageError.code)  # no notebook shares its limits

    assert len(ours) > 10
    assert headings == ours | EXPLAINED_ON_COLAB_PAGE | {*CODES, "token_not_shown"}


def test_the_tunnels_with_domains_are_those_of_the_code() -> None:
    page = (ROOT / "docs/colab.md").read_text("utf-8")
    (about,) = re.findall(r"^\| `--domain` \| \| with (.*?): ", page, re.MULTILINE)

    assert re.findall(r"`(\w+)`", about) == list(TunnelKind.with_domains())


def test_the_service_files_start_what_exists() -> None:
    unit = (ROOT / "deploy/vieneu-server.service").read_text("utf-8")
    container = (ROOT / "deploy/Containerfile").read_text("utf-8")
    (start,) = re.findall(r"^ExecStart=\S+/vieneu-server (.*)$", unit, re.MULTILINE)
    shown = subprocess.run(
        [sys.executable, "-m", "vieneu_colab_server", "--help"],
        check=True, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"},
    ).stdout  # fmt: skip

    for option in re.findall(r"--[a-z-]+", start):
        assert option in shown
    fields = {f"{ENV_PREFIX}{name.upper()}" for name in ServerSettings.model_fields}
    assert set(re.findall(rf"{ENV_PREFIX}[A-Z_]+", container)) <= fields


def test_the_units_first_step_makes_a_token_once(tmp_path: Path) -> None:
    unit = (ROOT / "deploy/vieneu-server.service").read_text("utf-8")
    (step,) = re.findall(r"^ExecStartPre=(.*)$", unit, re.MULTILINE)
    (tmp_path / "vieneu-server").mkdir()
    step = step.replace("%S", str(tmp_path)).replace("/opt/vieneu/bin/python", sys.executable)
    made = []
    for _ in range(2):
        subprocess.run(shlex.split(step), check=True)
        made.append((tmp_path / "vieneu-server/token").read_text())

    assert made[0] == made[1]
    assert len(made[0].strip()) >= 43
    assert (tmp_path / "vieneu-server/token").stat().st_mode & 0o777 == 0o600
