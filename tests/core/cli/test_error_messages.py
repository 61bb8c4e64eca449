from __future__ import annotations

from vieneu_core import errors
from vieneu_core.cli.error_messages import error_line, error_title
from vieneu_core.i18n import error_text, languages


def test_an_error_is_one_line_whatever_a_server_wrote_into_it() -> None:
    error = errors.BadResponseError("first\nsecond \x1b[31mred", backend="remote")
    for language in languages():
        reported = error_line(error, language)
        assert "\n" not in reported
        assert "\x1b" not in reported
    assert "Kiểm tra xem URL" in error_line(error, "vi")
    own = errors.EmptyTextError("Nothing.", remedy="Do this.")
    assert error_line(own, "vi").endswith("Nothing. Do this.")


def test_every_cause_is_told_in_both_languages() -> None:
    error = errors.AllBackendsFailedError(
        "Nobody spoke.", causes=(errors.TlsError("expired", backend="remote"),)
    )
    for language in languages():
        assert "remote: expired" in error_line(error, language)


def test_a_title_is_translated_where_its_code_is_known() -> None:
    assert error_title("tls", "Certificate not accepted", "vi") == "Chứng chỉ không được chấp nhận"
    assert error_title("tls", "Certificate not accepted", "en") == "Certificate not accepted"
    assert error_title("of_a_newer_server", "Something new", "vi") == "Something new"
    assert error_text("of_a_newer_server", "Do this.", "vi") is None
