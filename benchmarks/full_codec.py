"""NeuCodec's decoder in its real size with random weights: its sound is noise, its cost is real.

The layers are those of ``CodecDecoderVocos`` in neucodec 0.0.6: a convolution of 7 frames, two
residual blocks, twelve transformer layers of 1024 with 16 heads, two more blocks, and a head whose
1922 values become 1920 samples of each frame, which overlap. 188 million parameters. The products
with matrices have 8-bit weights, as `onnxruntime.quantization.quantize_dynamic` makes them; the
convolutions keep 32 bits. What the published 8-bit graph does with those is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from checkpoint.onnx_graph import FLOAT, INT32, Step, save_graph
from numpy.typing import NDArray

WIDTH, HEADS, LAYERS = 1024, 16, 12
CODE_WIDTH, INNER = 2048, 4 * 1024
HOP, FFT = 480, 1920
_GROUPS = 32


def write_full_codec(path: Path, *, seed: int = 0) -> None:
    """Write the 8-bit graph; takes a minute and 2 GB of memory.

    Args:
        path: The file to write, of about 300 MB.
        seed: Of the random weights.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = _Graph(seed)
    steps = [*graph.steps()]
    whole = path.with_suffix(".float.onnx")
    data = whole.with_suffix(".data").name
    inputs = [("codes", INT32, [1, 1, "n"])]
    outputs = [("audio", FLOAT, [1, 1, "samples"])]
    save_graph(whole, steps, inputs, outputs, graph.constants, data=data)
    quantize_dynamic(whole, path, op_types_to_quantize=["MatMul"], weight_type=QuantType.QInt8)
    whole.unlink()
    whole.with_name(data).unlink()


class _Graph:
    """The steps of the graph, and their weights by name."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.constants: dict[str, NDArray[np.generic]] = {
            "shape": np.array([1, -1], np.int64),
            "heads": np.array([1, -1, HEADS, WIDTH // HEADS], np.int64),
            "flat": np.array([1, -1, WIDTH], np.int64),
            "grouped": np.array([0, _GROUPS, -1], np.int64),
            "channels": np.array([1, WIDTH, -1], np.int64),
            "ones": np.ones(_GROUPS, np.float32),
            "zeros": np.zeros(_GROUPS, np.float32),
            "one": np.ones(WIDTH, np.float32),
            "zero": np.zeros(WIDTH, np.float32),
            "halves": np.array([FFT // 2 + 1] * 2, np.int64),
            "scale": np.array((WIDTH // HEADS) ** -0.5, np.float32),
        }

    def steps(self) -> Iterator[Step]:
        """Yield all steps, from codes to audio."""
        self.constants["table"] = self._weights(65_536, 8)
        yield "Reshape", "codes shape", "listed"
        yield "Gather", "table listed", "digits"  # of FSQ: 8 of 4 levels
        yield from self._product("digits", "quantized", 8, CODE_WIDTH)
        yield from self._product("quantized", "posterior", CODE_WIDTH, WIDTH)
        yield "Transpose", "posterior", "rows", {"perm": [0, 2, 1]}
        yield from self._convolution("rows", "x0", frames=7)
        for at in range(2):
            yield from self._residual(f"x{at}", f"x{at + 1}")
        yield "Transpose", "x2", "y0", {"perm": [0, 2, 1]}
        for at in range(LAYERS):
            yield from self._transformer(f"y{at}", f"y{at + 1}")
        yield "Transpose", f"y{LAYERS}", "z0", {"perm": [0, 2, 1]}
        for at in range(2):
            yield from self._residual(f"z{at}", f"z{at + 1}")
        yield "Transpose", "z2", "last", {"perm": [0, 2, 1]}
        yield "LayerNormalization", "last one zero", "normal"
        yield from self._head("normal", "audio")

    def _transformer(self, x: str, out: str) -> Iterator[Step]:
        yield "LayerNormalization", f"{x} one zero", f"{x}_n"
        for name in "qkv":
            yield from self._product(f"{x}_n", f"{x}_{name}", WIDTH, WIDTH)
            yield "Reshape", f"{x}_{name} heads", f"{x}_{name}h"
        yield "Transpose", f"{x}_qh", f"{x}_qt", {"perm": [0, 2, 1, 3]}
        yield "Transpose", f"{x}_kh", f"{x}_kt", {"perm": [0, 2, 3, 1]}
        yield "Transpose", f"{x}_vh", f"{x}_vt", {"perm": [0, 2, 1, 3]}
        yield "MatMul", f"{x}_qt {x}_kt", f"{x}_s"
        yield "Mul", f"{x}_s scale", f"{x}_ss"
        yield "Softmax", f"{x}_ss", f"{x}_p", {"axis": -1}
        yield "MatMul", f"{x}_p {x}_vt", f"{x}_o"
        yield "Transpose", f"{x}_o", f"{x}_ot", {"perm": [0, 2, 1, 3]}
        yield "Reshape", f"{x}_ot flat", f"{x}_of"
        yield from self._product(f"{x}_of", f"{x}_a", WIDTH, WIDTH)
        yield "Add", f"{x} {x}_a", f"{x}_m"
        yield "LayerNormalization", f"{x}_m one zero", f"{x}_mn"
        yield from self._product(f"{x}_mn", f"{x}_f", WIDTH, INNER)
        yield "Sigmoid", f"{x}_f", f"{x}_g"
        yield "Mul", f"{x}_f {x}_g", f"{x}_h"
        yield from self._product(f"{x}_h", f"{x}_e", INNER, WIDTH)
        yield "Add", f"{x}_m {x}_e", out

    def _residual(self, x: str, out: str) -> Iterator[Step]:
        at = x
        for part in "ab":
            new = f"{x}_{part}"
            # GroupNorm, as an InstanceNorm of its groups.
            yield "Reshape", f"{at} grouped", f"{new}_g"
            yield "InstanceNormalization", f"{new}_g ones zeros", f"{new}_i"
            yield "Reshape", f"{new}_i channels", f"{new}_n"
            yield "Sigmoid", f"{new}_n", f"{new}_s"
            yield "Mul", f"{new}_n {new}_s", f"{new}_w"
            yield from self._convolution(f"{new}_w", new, frames=3)
            at = new
        yield "Add", f"{x} {at}", out

    def _head(self, x: str, out: str) -> Iterator[Step]:
        yield from self._product(x, "spectrum", WIDTH, FFT + 2)
        yield "Transpose", "spectrum", "bins", {"perm": [0, 2, 1]}
        yield "Split", "bins halves", "logarithm phase", {"axis": 1}
        yield "Sigmoid", "logarithm", "magnitude"  # exp of random weights has no end
        yield "Cos", "phase", "cosine"
        yield "Sin", "phase", "sine"
        yield "Mul", "magnitude cosine", "real"
        yield "Mul", "magnitude sine", "imaginary"
        yield "Concat", "real imaginary", "waves", {"axis": 1}
        # The inverse transform, and the sum of what overlaps.
        self.constants["basis"] = self._weights(FFT + 2, 1, FFT)
        pads = {"strides": [HOP], "pads": [(FFT - HOP) // 2] * 2}
        yield "ConvTranspose", "waves basis", out, pads

    def _convolution(self, x: str, out: str, *, frames: int) -> Iterator[Step]:
        self.constants[f"{out}_k"] = self._weights(WIDTH, WIDTH, frames)
        yield "Conv", f"{x} {out}_k", out, {"pads": [frames // 2] * 2}

    def _product(self, x: str, out: str, rows: int, columns: int) -> Iterator[Step]:
        self.constants[f"{out}_w"] = self._weights(rows, columns)
        yield "MatMul", f"{x} {out}_w", out

    def _weights(self, *shape: int) -> NDArray[np.float32]:
        scale = np.float32(np.prod(shape[1:]) ** -0.5)
        return self._random.standard_normal(shape, np.float32) * scale
