"""Collections of MIDI files into memory, for training and measuring."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from generator.engine.brief import Style
from generator.engine.training.corpus import Corpus, Source
from generator.engine.training.reading import ReadFile
from generator.engine.training.sandbox import Sandbox
from generator.engine.training.sources import list_sources
from generator.engine.training.store import is_store, read_store

logger = logging.getLogger(__name__)


def read_corpus(
    directory: Path,
    *,
    workers: int = 1,
    limit: int | None = None,
    collection: str = "",
    style: Style = Style.CLASSICAL,
) -> Corpus:
    """Return every piece of an imported corpus, or of a directory of MIDI files.

    Broken files are counted, not fatal; every file is parsed in a child with little memory and
    little time.

    Parameters
    ----------
    directory : Path
    workers : int
        Processes that read at the same time.
    limit : int, optional
        Read only so many files, for a quick look.
    collection : str
        Only this collection of a manifest, for measuring; what is learnt from it does not ship.
    style : Style
        Of files whose collection names none that is known.
    """
    if is_store(directory):
        return read_store(directory)
    sources = list_sources(directory, style, collection)[:limit]
    corpus = _collected(_read_apart(sources, workers), len(sources))
    logger.info("read %d pieces from %d files", len(corpus.pieces), corpus.n_files)
    return corpus


def _read_apart(sources: Sequence[Source], workers: int) -> Iterator[ReadFile]:
    """Yield what came of each file, in order, every file parsed in a child with limits."""
    children: SimpleQueue[Sandbox] = SimpleQueue()

    def read(source: Source) -> ReadFile:
        child = children.get()
        try:
            return child.read(source, any_length=True)
        finally:
            children.put(child)

    with ExitStack() as stack:
        for _ in range(workers):
            children.put(stack.enter_context(Sandbox()))
        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(read, sources)


def _collected(results: Iterable[ReadFile], n_files: int) -> Corpus:
    corpus = Corpus([], Counter(), n_files)
    for read in results:
        corpus.pieces.extend(read.pieces)
        if read.reason:
            corpus.dropped[read.reason] += 1
    return corpus
