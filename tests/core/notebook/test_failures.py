"""What pip prints is explained. Its messages are quoted from pip 24.1 and 25.3."""

from __future__ import annotations

import pytest

from vieneu_core.notebook.failures import pip_cause

CANNOT = "ERROR: Could not find a version that satisfies the requirement fastapi>=0.115.4\n"


@pytest.mark.parametrize(
    ("output", "vietnamese", "english"),
    [
        (
            (
                "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on"
                " device\n"
            ),
            "ổ đĩa của runtime đã đầy hoặc không ghi được.",
            "the disk of this runtime is full or cannot be written.",
        ),
        (
            "ERROR: Package 'vieneu-core' requires a different Python: 3.10.12 not in '>=3.11'\n",
            "Python của runtime này quá cũ; các dòng của pip ở trên cho biết cần bản nào.",
            "the Python of this runtime is too old; the lines of pip above name the one required.",
        ),
        (
            (
                "WARNING: Retrying (Retry(total=0)) after connection broken by"
                " 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object>:"
                " Failed to establish a new connection: [Errno -3] Temporary failure')\n"
                f"{CANNOT}"
            ),
            "không kết nối được tới kho gói.",
            "the package index cannot be reached.",
        ),
        (
            "ERROR: HTTP error 503 while getting https://files.pythonhosted.org/a.whl\n",
            "kho gói của pip đang gặp sự cố.",
            "the package index is not working at the moment.",
        ),
        (
            (
                "ERROR: Cannot install a and b because these package versions have conflicting"
                " dependencies.\nERROR: ResolutionImpossible: for help visit https://pip.pypa.io/\n"
            ),
            "các gói cần những phiên bản không dùng chung được.",
            "the packages require versions that conflict.",
        ),
        (
            "ERROR: Wheel 'vieneu-core' located at /tmp/vieneu_core.whl is invalid.",
            "một gói bị hỏng.",
            "a package is damaged.",
        ),
        (
            (
                "  error: subprocess-exited-with-error\n  × git clone --filter=blob:none --quiet"
                " https://git.example/relay did not run successfully.\n  │ exit code: 128\n"
            ),
            "không lấy được mã nguồn bằng git.",
            "git could not fetch the source.",
        ),
        (
            (
                "ERROR: Ignored the following versions that require a different python version: 1.0"
                f" Requires-Python >=3.13\n{CANNOT}ERROR: No matching distribution found\n"
            ),
            "kho gói không cung cấp gói cần thiết: gói không có ở đó, hoặc kho đang gặp sự cố.",
            (
                "the package index does not offer a package that is needed: it is not there, or the"
                " index is not working at the moment."
            ),
        ),
        ("", "pip dừng với mã lỗi 2.", "pip ended with exit code 2."),
    ],
)
def test_a_cause_is_named_in_both_languages_with_what_to_do(
    output: str, vietnamese: str, english: str
) -> None:
    reported = {language: pip_cause(output, 2, language) for language in ("vi", "en")}

    assert reported["vi"][0] == vietnamese
    assert reported["en"][0] == english
    assert reported["vi"][1] != reported["en"][1]
    assert all(what_next for _, what_next in reported.values())
