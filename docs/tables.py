"""MkDocs hook: puts tables and texts that the code owns into the pages, so that they stay equal.

A page asks for one by a comment on a line of its own, for example ``<!-- table: errors -->``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType

from mkdocs.exceptions import PluginError
from pydantic import BaseModel, SecretStr

import vieneu_core
from vieneu_colab_server.problems import STATUS_OF
from vieneu_colab_server.replicas.arguments import RayAppArguments
from vieneu_colab_server.settings import ENV_PREFIX, ServerSettings
from vieneu_core import errors, router
from vieneu_core.config import Settings
from vieneu_core.engines.gguf import GgufOptions
from vieneu_core.engines.piper.options import PiperOptions
from vieneu_core.engines.pytorch import PytorchOptions
from vieneu_core.engines.sdk.options import SdkOptions
from vieneu_core.errors import BackendError, RequestError, VieneuError
from vieneu_core.router.events import RouterEvent
from vieneu_core.wire.framing import FrameType
from vieneu_core.wire.schemas import SynthesisBody

PLACEHOLDER = re.compile(
    r"^<!-- (table|docstring|tree|example|reference): (\S+) -->$", re.MULTILINE
)

EXAMPLES = Path(__file__).parents[1] / "examples"


def on_page_markdown(markdown: str, **_: object) -> str:
    """Fill each placeholder of a page (called by MkDocs)."""
    return fill(markdown)


def fill(markdown: str) -> str:
    """Return the page with each placeholder replaced."""
    return PLACEHOLDER.sub(lambda match: _part(match[1], match[2]), markdown)


def _part(kind: str, name: str) -> str:
    if kind == "docstring":
        return _docstring(name)
    if kind == "tree":
        return "```text\n" + errors_tree() + "\n```"
    if kind == "example":
        return "```python\n" + (EXAMPLES / name).read_text("utf-8") + "```"
    if kind == "reference":
        return "\n\n".join(f"::: {path}" for path in _documented(name))
    if name not in TABLES:
        raise PluginError(f"No table {name!r}; there are: {', '.join(TABLES)}.")
    return TABLES[name]()


def errors_tree() -> str:
    """Return the tree of exceptions as their module draws it."""
    drawing = (errors.__doc__ or "").partition("::\n\n")[2].partition("\n\nEach class")[0]
    return textwrap.dedent(drawing)


def error_table() -> str:
    """Return every error with its code, what it means and what to do."""
    return _table(
        ("Code", "What happened", "What to do"),
        (
            (f"`{cls.code}`", f"**{cls.title}.** {_first_line(cls)}", cls.default_remedy)
            for cls in _classes()
        ),
    )


def front_table() -> str:
    """Return the names that `vieneu_core` itself exports, each with a link to its reference."""
    rows = []
    for name in vieneu_core.__all__:
        value = getattr(vieneu_core, name)
        rows.append((f"[`{name}`][{value.__module__}.{name}]", _first_line(value)))
    return _table(("Name", "What it is"), rows)


def _documented(name: str) -> list[str]:
    """Return the paths of what a public part defines: ``router`` without the events, ``events``."""
    module = importlib.import_module(f"vieneu_core.{'router' if name == 'events' else name}")
    names = getattr(module, "__all__", None) or _defined_in(module)
    values = [(each, getattr(module, each)) for each in names]
    if name in {"router", "events"}:
        wanted = name == "events"
        values = [pair for pair in values if _is_event(pair[1]) is wanted]
    return [
        f"{value.__module__}.{each}"
        for each, value in values
        if inspect.getdoc(value) and str(getattr(value, "__module__", "")).startswith("vieneu")
    ]


def _defined_in(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


def _is_event(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, RouterEvent)


def consequence_table() -> str:
    """Return what each backend error means for retries and for the circuit breaker."""
    return _table(
        ("Error", "Passes by itself", "Circuit breaker"),
        (
            (f"`{cls.__name__}`", "yes" if cls.transient else "no", f"`{cls.consequence.value}`")
            for cls in _classes()
            if issubclass(cls, BackendError)
        ),
    )


def problem_table() -> str:
    """Return every code that can cross the wire with its HTTP status and class."""
    return _table(
        ("Code", "Status", "Class raised by the client"),
        (
            (f"`{cls.code}`", _status(cls), f"`{cls.__name__}`")
            for cls in _classes()
            if issubclass(cls, (RequestError, BackendError))
        ),
    )


def frame_table() -> str:
    """Return the frame types and their numbers."""
    return _table(("Type", "Number"), ((f"`{t.name}`", str(t.value)) for t in FrameType))


def model_table(model: type[BaseModel]) -> str:
    """Return the members of a body: name, type, whether it may be left out, meaning."""
    return _table(
        ("Member", "Type", "Default", "Meaning"),
        (
            (
                f"`{name}`",
                f"`{inspect.formatannotation(field.annotation)}`",
                "required" if field.is_required() else f"`{field.get_default()!r}`",
                field.description or "",
            )
            for name, field in model.model_fields.items()
        ),
    )


def settings_table() -> str:
    """Return every field of the settings file: name, default, what may be written."""
    return _table(("Field", "Default", "Write"), _settings_rows(Settings(), ""))


def _settings_rows(section: BaseModel, prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in type(section).model_fields.items():
        default = getattr(section, name)
        if isinstance(default, BaseModel):
            yield from _settings_rows(default, f"{prefix}{name}.")
        else:
            yield f"`{prefix}{name}`", f"`{_shown(default)}`", field.description or ""


def _shown(default: object) -> str:
    """Return a default as it would stand in the file."""
    if isinstance(default, SecretStr):
        return '""'
    return json.dumps(default)


def server_settings_table() -> str:
    """Return every setting of the server: variable, default, meaning."""
    words = _attribute_docstrings(ServerSettings)
    return _table(
        ("Variable", "Default", "Meaning"),
        (
            (
                f"`{ENV_PREFIX}{name.upper()}`",
                "" if field.is_required() else f"`{json.dumps(field.get_default())}`",
                words.get(name, ""),
            )
            for name, field in ServerSettings.model_fields.items()
        ),
    )


def ray_arguments_table() -> str:
    """Return every argument of the application on Ray: name, default, meaning."""
    words = _attribute_docstrings(RayAppArguments)
    return _table(
        ("Argument", "Default", "Meaning"),
        (
            (
                f"`{name}`",
                f"`{json.dumps(field.get_default(call_default_factory=True))}`",
                words.get(name, ""),
            )
            for name, field in RayAppArguments.model_fields.items()
        ),
    )


def options_table(*models: type[BaseModel]) -> str:
    """Return the options of engines, each once: name, default, what may be written, meaning."""
    rows: dict[str, tuple[str, ...]] = {}
    for model in models:
        words: dict[str, str] = {}
        for cls in reversed(model.__mro__[: model.__mro__.index(BaseModel)]):
            words |= _attribute_docstrings(cls)
        for name, field in model.model_fields.items():
            default = "" if field.default is None else f"`{_shown(field.default)}`"
            rows[name] = (f"`{name}`", default, field.description or "", words.get(name, ""))
    return _table(("Option", "Default", "Write", "Meaning"), rows.values())


def _attribute_docstrings(cls: type) -> dict[str, str]:
    """Return the strings that stand under the attributes of a class."""
    tree = ast.parse(inspect.getsource(cls)).body[0]
    found: dict[str, str] = {}
    for line, after in pairwise(tree.body if isinstance(tree, ast.ClassDef) else []):
        match line, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                value=ast.Constant(value=str(text))
            ):
                found[name] = text
    return found


def event_table() -> str:
    """Return the events that the router publishes."""
    return _table(("Event", "When"), ((f"`{cls.__name__}`", _first_line(cls)) for cls in _events()))


def _events() -> list[type[RouterEvent]]:
    exported = [getattr(router, name) for name in router.__all__]
    return [each for each in exported if _is_event(each) and each is not RouterEvent]


TABLES: dict[str, Callable[[], str]] = {
    "front": front_table,
    "errors": error_table,
    "consequences": consequence_table,
    "problems": problem_table,
    "frames": frame_table,
    "events": event_table,
    "settings": settings_table,
    "server-settings": server_settings_table,
    "ray-arguments": ray_arguments_table,
    "gguf-options": partial(options_table, GgufOptions),
    "pytorch-options": partial(options_table, PytorchOptions),
    "sdk-options": partial(options_table, SdkOptions),
    "piper-options": partial(options_table, PiperOptions),
    "synthesis-body": partial(model_table, SynthesisBody),
}


def _classes() -> list[type[VieneuError]]:
    return [cls for cls in errors.all_error_classes() if cls.__module__ == errors.__name__]


def _status(cls: type[VieneuError]) -> str:
    return str(next(STATUS_OF[base].value for base in cls.__mro__ if base in STATUS_OF))


def _first_line(cls: type) -> str:
    return (inspect.getdoc(cls) or "").partition("\n")[0]


def _docstring(module: str) -> str:
    text = inspect.getdoc(importlib.import_module(module)) or ""
    # reStructuredText, as docstrings are written, to Markdown.
    text = re.sub(r"::\n", ":\n", text)
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        "| "
        + " | ".join(re.sub(r"``([^`]+)``", r"`\1`", c.replace("|", "\\|")) for c in line)
        + " |"
        for line in lines
    )
