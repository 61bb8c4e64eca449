"""The dashboard and the documentation name the metrics that there are, and all of them."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from exposition import exposed
from prometheus_client import CollectorRegistry

from vieneu_colab_server.relay.metrics.relay_metrics import relay_metrics
from vieneu_core.router import Router
from vieneu_core.testing.scripted import ScriptedBackend

DOCS = Path(__file__).parents[4] / "docs"
DASHBOARD = DOCS / "grafana" / "vieneu-relay.json"
USED = re.compile(r"\b(?:vieneu|process)_\w+")
ROW = re.compile(r"^\| `(vieneu_\w+)` \| (\w+) \| (.*?) \|", re.MULTILINE)
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24


def registry() -> CollectorRegistry:
    return relay_metrics(
        Router(local=ScriptedBackend(name="local")), queue_depth=lambda: 0, jobs=dict
    ).registry


def types() -> dict[str, str]:
    """Every metric of ours, under the name that is documented, with its type."""
    suffix = {"counter": "_total", "info": "_info"}
    families = [each for each in registry().collect() if each.name.startswith("vieneu_")]
    return {family.name + suffix.get(family.type, ""): family.type for family in families}


def series_names() -> set[str]:
    """Names as a query writes them."""
    parts = {"histogram": ("_bucket", "_sum", "_count")}
    process = {sample.name for sample in exposed(registry()) if sample.name.startswith("process")}
    return process | {
        name + part for name, kind in types().items() for part in parts.get(kind, ("",))
    }


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return loaded


def expressions(dashboard: dict[str, Any]) -> list[str]:
    return [t["expr"] for panel in dashboard["panels"] for t in panel.get("targets", [])]


def test_the_dashboard_uses_metrics_that_are_exposed_and_all_of_ours(
    dashboard: dict[str, Any],
) -> None:
    used = {name for expr in expressions(dashboard) for name in USED.findall(expr)}
    used |= set(USED.findall(json.dumps(dashboard["templating"])))

    assert used - series_names() == set()
    shown = {re.sub("_(bucket|sum|count)$", "", name) for name in used}
    assert set(types()) - shown == set()


def test_every_query_is_of_the_chosen_relay_and_data_source(dashboard: dict[str, Any]) -> None:
    assert [v["name"] for v in dashboard["templating"]["list"]] == ["datasource", "instance"]
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["datasource"] == DATA_SOURCE
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"] == DATA_SOURCE
            found = USED.findall(target["expr"])
            assert target["expr"].count('{instance=~"$instance"') == len(found) > 0


def test_panels_have_an_id_a_title_and_room_of_their_own(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] for panel in panels)
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] >= 0
        assert at["x"] + at["w"] <= COLUMNS
    assert [pair for pair in combinations(panels, 2) if overlap(*pair)] == []


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    a, b = one["gridPos"], other["gridPos"]
    beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
    below = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    return not (beside or below)


def test_the_documentation_lists_every_metric_with_its_type() -> None:
    pages = "\n".join(page.read_text("utf-8") for page in sorted(DOCS.rglob("*.md")))
    documented = {name: kind for name, kind, _ in ROW.findall(pages)}

    assert documented == types()


def test_the_documentation_lists_every_label() -> None:
    pages = "\n".join(page.read_text("utf-8") for page in sorted(DOCS.rglob("*.md")))
    documented = {
        name: set(re.findall(r"`(\w+)`", labels)) for name, _, labels in ROW.findall(pages)
    }
    for sample in exposed(registry()):
        name = re.sub("_(bucket|sum|count)$", "", sample.name)
        if name in documented:
            assert set(sample.labels) - {"le"} == documented[name], name
