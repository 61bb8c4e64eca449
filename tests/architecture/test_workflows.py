"""The workflows of the repository: what they run is fixed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

GITHUB = Path(__file__).parents[2] / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))
PINNED = re.compile(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # (v\d+\.\d+\.\d+|\d{4}-\d{2}-\d{2})")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_commit_and_says_which_version_that_is(workflow: Path) -> None:
    used = re.findall(r"^\s*(?:- )?uses: (.*)$", workflow.read_text("utf-8"), re.MULTILINE)

    assert used
    assert [action for action in used if not PINNED.fullmatch(action)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_no_checkout_leaves_its_credentials(workflow: Path) -> None:
    text = workflow.read_text("utf-8")

    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def test_the_actions_and_the_locked_packages_are_updated_by_dependabot() -> None:
    stated = yaml.safe_load((GITHUB / "dependabot.yml").read_text("utf-8"))

    assert {update["package-ecosystem"] for update in stated["updates"]} == {"github-actions", "uv"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_has_what_github_requires(path: Path) -> None:
    form = yaml.safe_load(path.read_text("utf-8"))
    if path.name == "config.yml":
        assert form["blank_issues_enabled"] is False
        return

    assert {"name", "description", "body"} <= form.keys()
    for field in form["body"]:
        wanted = "value" if field["type"] == "markdown" else "label"
        assert field["attributes"][wanted]
