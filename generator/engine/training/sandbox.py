"""Untrusted MIDI is parsed in a child process with little memory and little time.

A file of 37 bytes can ask for gigabytes of ticks, and a parser in C can end the process it runs in.
The child may not take more memory than `MEMORY_BYTES`; one that does not answer in `SECONDS_A_FILE`
is killed. Either way the file is left out with its reason, a new child is started, and the import
goes on.
"""

import multiprocessing
import resource
from multiprocessing.connection import Connection
from types import TracebackType

from generator.engine.errors import SandboxError
from generator.engine.training.corpus import Source
from generator.engine.training.reading import ReadFile, read_file

MEMORY_BYTES = 3 * 1024**3
SECONDS_A_FILE = 20.0
_SECONDS_TO_START = 120.0
_READY = "ready"


class Sandbox:
    """Reads one file after another in a child of its own.

    Parameters
    ----------
    seconds_a_file : float
    memory_bytes : int
    """

    def __init__(
        self, seconds_a_file: float = SECONDS_A_FILE, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._seconds, self._memory = seconds_a_file, memory_bytes
        self._child: multiprocessing.process.BaseProcess | None = None

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._end()

    def read(self, source: Source, *, any_length: bool = False) -> ReadFile:
        """Return what came of one file; never raises for what the file does.

        Raises
        ------
        SandboxError
            The process that is to read it cannot be started.
        """
        if self._child is None:
            self._start()
        try:
            self._pipe.send((source, any_length))
            if self._pipe.poll(self._seconds):
                return self._pipe.recv()
            reason = "took too long to read"
        except (EOFError, ConnectionError):
            reason = "ended the process that read it"
        self._end()
        return ReadFile(reason=reason)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        try:
            self._pipe, theirs = context.Pipe()
            with theirs:
                child = context.Process(
                    target=_serve, args=(theirs, self._memory), daemon=True, name="midi-sandbox"
                )
                child.start()
        except OSError as error:
            raise _not_started(str(error)) from error
        self._child = child
        try:
            # Its imports take longer than a file may.
            answers = self._pipe.poll(_SECONDS_TO_START)
            if answers:
                self._pipe.recv()
        except (EOFError, ConnectionError):
            answers = False
        if not answers:
            self._end()
            raise _not_started("one that never answered")

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.join()
            self._pipe.close()
            self._child = None


def _not_started(got: str) -> SandboxError:
    return SandboxError(
        f"a process that reads MIDI was expected, got {got}. Free memory or end other processes, "
        "then import again."
    )


def _serve(pipe: Connection, memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pipe.send(_READY)
    while True:
        try:
            source, any_length = pipe.recv()
        except EOFError:
            return
        try:
            answer = read_file(source, any_length=any_length)
        except MemoryError:
            answer = ReadFile(reason="needs too much memory")
        pipe.send(answer)
