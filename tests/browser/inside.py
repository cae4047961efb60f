"""Call a function inside an installation: with its database, its keys and its clock.

One process of the installation answers all calls, because starting one takes seconds. It ends when
the tests do: its standard input closes.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT, Installation

ANSWER = """
import contextlib, importlib, json, sys, traceback
from django.conf import settings
from django.db import connections
from django.utils import translation

for line in sys.stdin:
    asked = json.loads(line)
    translation.activate(settings.LANGUAGE_CODE)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            module = importlib.import_module("tests.browser." + asked["module"])
            answer = {"returned": getattr(module, asked["function"])(**asked["arguments"])}
    except Exception:
        answer = {"raised": traceback.format_exc()}
    connections.close_all()
    print(json.dumps(answer), flush=True)
"""

_answering: dict[Path, subprocess.Popen[str]] = {}


def ask(
    installation: Installation, function: str, *, module: str = "people", **arguments: object
) -> object:
    """Run a function of `people`, or of another module beside it; return what it returned."""
    process = _process_of(installation)
    question = {"module": module, "function": function, "arguments": arguments}
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        del _answering[installation.var]
        raise RuntimeError(f"{module}.{function}: the process ended.\n{installation.logs()}")
    answer = json.loads(line)
    if "raised" in answer:
        raise RuntimeError(f"{module}.{function}\n{answer['raised']}")
    return answer["returned"]


def _process_of(installation: Installation) -> subprocess.Popen[str]:
    """Return the process that answers for an installation; started with the first question."""
    if installation.var not in _answering:
        with (installation.var / "logs" / "inside.log").open("a") as said:
            _answering[installation.var] = subprocess.Popen(
                [sys.executable, "manage.py", "shell", "--no-imports", "-c", ANSWER],
                cwd=ROOT,
                env=installation.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
    return _answering[installation.var]
