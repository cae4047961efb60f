"""Check that every compiled message file says what its source says (msgfmt is not everywhere)."""

import sys
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent


def stale(source: Path) -> bool:
    """Tell whether the compiled file beside `source` is missing or says something else."""
    compiled = source.with_suffix(".mo")
    if not compiled.exists():
        return True
    return messages(polib.mofile(str(compiled))) != messages(
        entry for entry in polib.pofile(str(source)).translated_entries()
    )


def messages(entries: object) -> dict[tuple[str | None, str], object]:
    return {
        (entry.msgctxt, entry.msgid): dict(entry.msgstr_plural) or entry.msgstr for entry in entries
    }


def main() -> int:
    sources = list(ROOT.glob("*/locale/*/LC_MESSAGES/*.po"))
    wrong = [path.relative_to(ROOT) for path in sources if stale(path)]
    for path in wrong:
        print(f"{path.with_suffix('.mo')} does not match {path.name}. Compile the messages again.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
