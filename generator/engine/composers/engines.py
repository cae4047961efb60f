"""What runs a composer's network: numpy, always there, or int8 where the extra is installed.

Both play the same release and part ways at some note, so the engine is part of a study's pin, with
the version of its runtime. Free of torch, so that pages can write it down too.
"""

from enum import StrEnum
from importlib.metadata import version
from importlib.util import find_spec

from generator.engine.brief import RendererPin
from generator.engine.errors import EngineUnavailable

_PACKAGES = ("onnx", "onnxruntime")


class Engine(StrEnum):
    """What runs the network: numpy, or int8 where the extra "fast" is installed."""

    NUMPY = "numpy"
    INT8 = "int8"


def engine_name(engine: Engine) -> str:
    """Return what a pin says of this machine's engine: nothing for numpy, else its runtime too.

    Raises
    ------
    EngineUnavailable
        Int8 is asked for and the extra is not installed.
    """
    if engine is Engine.NUMPY:
        return ""
    if not all(map(find_spec, _PACKAGES)):
        raise EngineUnavailable(
            "onnx and onnxruntime were expected for the int8 engine, got none. Install them with "
            "`pip install -r requirements-fast.txt`, or compose with numpy."
        )
    return f"{engine} onnxruntime {version('onnxruntime')}"


def available_engines() -> list[str]:
    """Return the name of every engine of this machine as a pin has it, numpy's empty one first."""
    names = [engine_name(Engine.NUMPY)]
    if all(map(find_spec, _PACKAGES)):
        names.append(engine_name(Engine.INT8))
    return names


def engine_for(pin: RendererPin | None) -> Engine:
    """Return the engine that a pin names; numpy where it names none.

    It is asked for whichever composer is to play, also for those without a network: a worker that
    left one arm's music to others would tell the arm.

    Raises
    ------
    EngineUnavailable
        This machine has no such engine, or another version of it.
    """
    if pin is None or not pin.engine:
        return Engine.NUMPY
    if pin.engine not in available_engines():
        found = ", ".join(name or Engine.NUMPY for name in available_engines())
        raise EngineUnavailable(
            f"the pinned engine {pin.engine} was expected, got {found}. Run this study's nights on "
            "a machine that has it, or install it there (`pip install -r requirements-fast.txt`)."
        )
    return Engine.INT8
