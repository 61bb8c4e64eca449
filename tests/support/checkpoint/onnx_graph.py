"""Writes graphs of ONNX, step by step, with weights that are set by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64
_LARGE_BYTES = 65  # onnx counts 33 of its own: 32 of weights; shapes must stay in the graph
Step = tuple[Any, ...]
"""Operator, inputs, outputs, and attributes where it has some."""
Port = tuple[Any, ...]
"""Name, type and shape of an input or output."""


def save_graph(
    path: Path,
    steps: Sequence[Step],
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    constants: Mapping[str, Any],
    *,
    data: str | None = None,
) -> None:
    """Write a graph (opset 17), its larger weights into the file ``data`` beside it, if named."""
    nodes = []
    for step in steps:
        op, ins, outs = step[:3]
        more: Mapping[str, Any] = step[3] if len(step) > 3 else {}
        node = helper.make_node(op, ins.split(), outs.split())
        node.attribute.extend(helper.make_attribute(key, value) for key, value in more.items())
        nodes.append(node)
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    more = {"save_as_external_data": True, "location": data, "size_threshold": _LARGE_BYTES}
    onnx.save(model, path, **(more if data is not None else {}))
