"""Collections of MIDI files into memory, for training and measuring."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from generator.engine.training.corpus import Corpus
from generator.engine.training.reading import ReadFile, read_file
from generator.engine.training.sources import list_sources
from generator.engine.training.store import is_store, read_store

logger = logging.getLogger(__name__)


def read_corpus(
    directory: Path, *, workers: int = 1, limit: int | None = None, collection: str = ""
) -> Corpus:
    """Return every piece of an imported corpus, or of a directory of MIDI files.

    Broken files are counted, not fatal.

    Parameters
    ----------
    directory : Path
    workers : int
        Processes that read at the same time.
    limit : int, optional
        Read only so many files, for a quick look.
    collection : str
        Only this collection of a manifest, for measuring; what is learnt from it does not ship.
    """
    if is_store(directory):
        return read_store(directory)
    sources = list_sources(directory, collection=collection)[:limit]
    if workers == 1:
        corpus = _collected(map(read_file, sources), len(sources))
    else:
        with ProcessPoolExecutor(workers) as pool:
            corpus = _collected(pool.map(read_file, sources, chunksize=16), len(sources))
    logger.info("read %d pieces from %d files", len(corpus.pieces), corpus.n_files)
    return corpus


def _collected(results: Iterable[ReadFile] | Iterator[ReadFile], n_files: int) -> Corpus:
    corpus = Corpus([], Counter(), n_files)
    for read in results:
        corpus.pieces.extend(read.pieces)
        if read.reason:
            corpus.dropped[read.reason] += 1
    return corpus
