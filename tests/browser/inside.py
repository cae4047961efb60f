"""Call a function inside an installation: with its database, its keys and its clock."""

import json

from tests.servers import Installation

CALL = """
import json
from tests.browser import {module}
print(json.dumps({module}.{function}(**json.loads({arguments!r}))))
"""


def ask(
    installation: Installation, function: str, *, module: str = "people", **arguments: object
) -> object:
    """Run a function of `people`, or of another module beside it; return what it returned."""
    code = CALL.format(module=module, function=function, arguments=json.dumps(arguments))
    printed = installation.manage("shell", "--no-imports", "-c", code)
    return json.loads(printed.splitlines()[-1])
