"""A small language for ONNX graphs: values are names, every call adds a node.

Linear maps come in two kinds. Exact ones are one `Gemm`. Quantised ones hold weights as int8, one
scale a row of the matrix, and quantise their input to eight bits with one scale a *piece*, never
one for a whole batch: who else is in a batch cannot change a piece.

onnx and onnxruntime are an optional extra ("fast"); without them `require_onnx` says so.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from generator.engine.errors import EngineUnavailable

try:
    import onnx
    import onnxruntime
    from onnx import helper, numpy_helper
except ImportError:  # the extra is not installed
    onnx = onnxruntime = None

_OPSET, _FORMAT = 21, 10
_MICROSOFT = "com.microsoft"
_LEVELS, _MIDDLE = 127.0, 128
_LEAST_SCALE = 1e-8
DYNAMIC = "B"


def require_onnx() -> None:
    """Raise EngineUnavailable where onnx or onnxruntime is not installed."""
    if onnxruntime is None:
        raise EngineUnavailable(
            "onnx and onnxruntime were expected for the fast engine, got none. Install them with "
            "`pip install -r requirements-fast.txt`, or use the numpy engine."
        )


class Graph:
    """Collects nodes, constants, inputs and outputs, and becomes a session."""

    def __init__(self) -> None:
        require_onnx()
        self._nodes: list = []
        self._constants: dict[str, np.ndarray] = {}
        self._known: dict[tuple, str] = {}
        self._inputs: list = []
        self._outputs: list = []
        self._given: list[tuple[str, str]] = []
        self._count = 0

    def input(self, name: str, shape: Sequence[int], dtype: type = np.float32) -> str:
        """Declare an input whose first axis is the batch."""
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self._inputs.append(helper.make_tensor_value_info(name, kind, [DYNAMIC, *shape]))
        return name

    def output(self, value: str, name: str, shape: Sequence[int], dtype: type = np.float32) -> None:
        """Give a value away under a name."""
        self._given.append((value, name))
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self._outputs.append(helper.make_tensor_value_info(name, kind, [DYNAMIC, *shape]))

    def constant(self, value: np.ndarray) -> str:
        """Return the name of a constant; small equal ones share a name."""
        value = np.asarray(value)
        key = (value.dtype.str, value.shape, value.tobytes()) if value.size <= 16 else None
        if key in self._known:
            return self._known[key]
        name = f"constant_{len(self._constants)}"
        self._constants[name] = np.ascontiguousarray(value) if value.ndim else value
        if key is not None:
            self._known[key] = name
        return name

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        """Add a node with one output and return its name."""
        return self.ops(kind, 1, *inputs, domain=domain, **attributes)[0]

    def ops(
        self, kind: str, n_outputs: int, *inputs: str, domain: str = "", **attributes: object
    ) -> list[str]:
        """Add a node and return the names of its outputs."""
        self._count += 1
        outputs = [f"{kind}_{self._count}_{index}" for index in range(n_outputs)]
        self._nodes.append(
            helper.make_node(kind, list(inputs), outputs, domain=domain, **attributes)
        )
        return outputs

    def whole(self, *values: int) -> str:
        """Return a constant vector of whole numbers."""
        return self.constant(np.array(values, dtype=np.int64))

    def number(self, value: float) -> str:
        """Return a constant number."""
        return self.constant(np.float32(value))

    def reshaped(self, value: str, *shape: int) -> str:
        """Return a value in another shape; 0 keeps the batch."""
        return self.op("Reshape", value, self.whole(*shape))

    def gelu(self, value: str) -> str:
        """Return the exact GELU of a value."""
        return self.op("Gelu", value, domain=_MICROSOFT)

    def normed(self, value: str, weight: np.ndarray, bias: np.ndarray) -> str:
        """Return a value after layer normalisation."""
        return self.op(
            "LayerNormalization", value, self.constant(weight), self.constant(bias), epsilon=1e-5
        )

    def split(self, value: str, *sizes: int) -> list[str]:
        """Return a value cut along its last axis."""
        return self.ops("Split", len(sizes), value, self.whole(*sizes), axis=-1)

    def joined(self, *values: str) -> str:
        """Return values side by side along their last axis."""
        return self.op("Concat", *values, axis=-1)

    def summed(self, value: str, axis: int, *, keep: bool = False) -> str:
        """Return the sum along an axis."""
        return self.op("ReduceSum", value, self.whole(axis), keepdims=int(keep))

    def linear(self, value: str, matrix: np.ndarray, bias: np.ndarray) -> str:
        """Return ``matrix @ value + bias``, exact."""
        return self.op("Gemm", value, self.constant(matrix), self.constant(bias), transB=1)

    def across(self, value: str, rows: str) -> str:
        """Return the products of vectors with every row of a memory of the same piece."""
        return self.op("FusedMatMul", value, rows, domain=_MICROSOFT, transB=1)

    def quantised(self, value: str) -> tuple[str, str]:
        """Return a value in eight bits and, for each row, its largest magnitude."""
        largest = self.op("ReduceMax", self.op("Abs", value), self.whole(-1), keepdims=1)
        largest = self.op("Max", largest, self.number(_LEAST_SCALE))
        return self.quantised_unit(self.op("Div", value, largest)), largest

    def quantised_unit(self, value: str) -> str:
        """Return a value between -1 and 1 in eight bits."""
        middle = self.constant(np.uint8(_MIDDLE))
        return self.op("QuantizeLinear", value, self.number(1.0 / _LEVELS), middle)

    def integer_product(self, eight_bits: str, matrix: np.ndarray) -> str:
        """Return ``matrix @ value`` of a value in eight bits that lay between -1 and 1."""
        scale = np.maximum(np.abs(matrix).max(axis=1), _LEAST_SCALE) / _LEVELS
        levels = np.round(matrix / scale[:, None]).astype(np.int8).T
        return self.op(
            "MatMulIntegerToFloat",
            eight_bits,
            self.constant(levels),
            self.number(1.0),
            self.constant((scale / _LEVELS).astype(np.float32)),
            self.constant(np.uint8(_MIDDLE)),
            domain=_MICROSOFT,
        )

    def _name_what_is_given(self) -> None:
        """Let values be made under the names they are given away by, without a copy."""
        named: dict[str, str] = {}
        made = {output for node in self._nodes for output in node.output}
        for value, name in self._given:
            if value in made and value not in named:
                named[value] = name
            else:
                self._nodes.append(helper.make_node("Identity", [value], [name]))
        for node in self._nodes:
            node.input[:] = [named.get(value, value) for value in node.input]
            node.output[:] = [named.get(value, value) for value in node.output]

    def session(self, threads: int = 1) -> "onnxruntime.InferenceSession":
        """Return a session that runs the graph on the CPU."""
        self._name_what_is_given()
        constants = [numpy_helper.from_array(v, name) for name, v in self._constants.items()]
        graph = helper.make_graph(self._nodes, "step", self._inputs, self._outputs, constants)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_FORMAT)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3
        # Buffers of their own for all values: an event of one piece is a twentieth faster.
        options.enable_mem_reuse = False
        # A thread that spins between two events takes a core from somebody else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )


class Bound:
    """A session with fixed buffers, read and written in place.

    Parameters
    ----------
    session : InferenceSession
    inputs, outputs : mapping of str to ndarray
        C-contiguous; they must not be replaced while this lives.
    """

    def __init__(
        self,
        session: "onnxruntime.InferenceSession",
        inputs: Mapping[str, np.ndarray],
        outputs: Mapping[str, np.ndarray],
    ) -> None:
        self._session, self._binding = session, session.io_binding()
        self._buffers = (dict(inputs), dict(outputs))
        for bind, buffers in (
            (self._binding.bind_input, inputs),
            (self._binding.bind_output, outputs),
        ):
            for name, array in buffers.items():
                bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    def run(self) -> None:
        """Read the inputs, write the outputs."""
        self._session.run_with_iobinding(self._binding)
