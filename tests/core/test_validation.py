"""Reasons of failed validations are ours, and can be translated."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator

from vieneu_core.config import Settings
from vieneu_core.credentials import parse_auth_token, parse_endpoint_url, parse_server_token
from vieneu_core.errors import ConfigurationError
from vieneu_core.i18n import translated
from vieneu_core.notebook import FromGit, NotebookSettings
from vieneu_core.validation import conflict, field_of, reason_of


class Kind(StrEnum):
    ONE = "one"
    TWO = "two"


class Form(BaseModel, extra="forbid"):
    hours: float = Field(default=1, gt=0, le=24.5, allow_inf_nan=False)
    count: int = 1
    word: Literal["a", "b"] = "a"
    kind: Kind = Kind.ONE
    text: str = Field(default="abc", min_length=2, max_length=3, pattern="^[a-z]*$")
    flag: bool = False
    names: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Form:
        if self.flag and self.count == 2:
            raise conflict("count", "it must be above {gt}", gt=2)
        return self


@pytest.mark.parametrize(
    ("given", "field", "english", "vietnamese"),
    [
        ({"hours": 30}, "hours", "it must be 24.5 or less", "không được vượt quá 24,5"),
        ({"hours": 0}, "hours", "it must be above 0", "phải lớn hơn 0"),
        ({"hours": "x"}, "hours", "it must be a number", "phải là một số"),
        ({"hours": "nan"}, "hours", "it must be a number", "phải là một số"),
        ({"count": 1.5}, "count", "it must be a whole number", "phải là một số nguyên"),
        ({"word": "c"}, "word", "it must be one of a, b", "phải là một trong a, b"),
        ({"kind": "c"}, "kind", "it must be one of one, two", "phải là một trong one, two"),
        ({"text": "a"}, "text", "it must have at least 2 characters", "phải có ít nhất 2 ký tự"),
        ({"text": "A1"}, "text", "it has not the right form", "không đúng định dạng"),
        ({"flag": "x"}, "flag", "it must be true or false", "phải là true hoặc false"),
        ({"names": 3}, "names", "it must be a list", "phải là một danh sách"),
        ({"names": ["a", 3]}, "names.1", "it must be text", "phải là chuỗi ký tự"),
        ({"nome": 3}, "nome", "it is not known", "không có mục này"),
        ({"flag": True, "count": 2}, "count", "it must be above 2", "phải lớn hơn 2"),
    ],
)
def test_reasons(given: dict[str, Any], field: str, english: str, vietnamese: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate(given)
    (found,) = caught.value.errors()
    assert field_of(found) == field
    assert reason_of(found) == reason_of(caught.value) == english
    assert translated(reason_of(found), "vi") == vietnamese


def test_reasons_of_credentials() -> None:
    for parse, value, vietnamese in (
        (parse_auth_token, SecretStr("x" * 5000), "có hơn 4096 ký tự"),
        (parse_server_token, SecretStr("x"), "có ít hơn 16 ký tự"),
        (parse_endpoint_url, "https://h/" + "x" * 2000, "có hơn 2000 ký tự"),
    ):
        with pytest.raises(ValueError, match="characters") as caught:
            parse(value)  # type: ignore[arg-type]
        assert translated(reason_of(caught.value), "vi") == vietnamese


def test_a_former_name_beside_the_present_one() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.model_validate({"budget": {}, "quota": {}})
    said = translated(caught.value.detail, "vi")
    assert said == "Settings.budget: budget là tên cũ của quota, và cả hai đều có mặt."


@pytest.mark.parametrize(
    ("given", "field", "vietnamese"),
    [
        ({"session_hours": 30}, "session_hours", "không được vượt quá 24"),
        ({"tunnel": "pigeon"}, "tunnel", "phải là một trong none, cloudflared, ngrok"),
        ({"tunnel": "cloudflared", "domain": "a.b"}, "domain", "chỉ các đường hầm này"),
        ({"engine": "gguf", "model": "../x"}, "model", "hãy ghi đường dẫn"),
        ({"engine": "steam"}, "engine", "phải là một trong auto, "),
        ({"token": "short"}, "token", "có ít hơn 16 ký tự"),
    ],
)
def test_a_notebook(given: dict[str, Any], field: str, vietnamese: str) -> None:
    with pytest.raises(ValidationError) as caught:
        NotebookSettings.model_validate(given)
    assert field_of(caught.value.errors()[0]) == field
    assert translated(reason_of(caught.value), "vi").startswith(vietnamese)


def test_a_source_of_a_notebook() -> None:
    with pytest.raises(ValidationError) as caught:
        FromGit(url="ftp://x")
    assert translated(reason_of(caught.value), "vi").startswith("hãy ghi URL bắt đầu bằng")
