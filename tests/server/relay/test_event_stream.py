"""Errors in the status, the events and the preparation: in the language of the page."""

from __future__ import annotations

import pytest

from vieneu_colab_server.relay.event_stream import report_json
from vieneu_core.errors import MissingExtraError, VieneuError, all_error_classes
from vieneu_core.router import ErrorReport

# A test of another part may have made classes of its own; each MissingExtraError states a remedy.
OURS = [
    cls
    for cls in all_error_classes()
    if cls.__module__ == VieneuError.__module__ and cls is not MissingExtraError
]


@pytest.mark.parametrize("cls", OURS)
def test_title_and_remedy_of_each_error_are_vietnamese(cls: type[VieneuError]) -> None:
    report = ErrorReport(code=cls.code, title=cls.title, detail="", remedy=cls.default_remedy)
    shown = report_json(report, "vi")
    assert shown["title"] != cls.title
    assert cls.default_remedy == "" or shown["remedy"] != cls.default_remedy
    english = report_json(report, "en")
    assert (english["title"], english["remedy"]) == (cls.title, cls.default_remedy)
