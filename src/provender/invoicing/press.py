"""The press: turns a prepared page into a PDF. Runs as a process of its own, reads JSON and writes the PDF.

typst keeps what it has worked out for the next document, and its memory grows with that: five documents of 675 lines
take 340 MB. A process that ends with its document gives it all back, and takes nobody along if it dies.
"""

import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
LETTERS = (("\u0000", "\u052f"), ("\u1e00", "\u24ff"))  # Latin, Greek, Cyrillic, punctuation: in the font of ours


def press(page: dict[str, Any]) -> bytes:
    """The PDF of a page, in the shape that `printing` gives it.

    Its texts go in as data and are never read as markup; nothing is fetched and nothing outside this folder is read.
    """
    import font_source_sans_pro
    import typst

    data = json.dumps(page, ensure_ascii=False)
    ours = all(any(first <= letter <= last for first, last in LETTERS) for letter in set(data))
    made = typst.compile(
        str(FOLDER / "document.typ"),
        root=str(FOLDER),
        format="pdf",
        sys_inputs={"data": data},
        font_paths=[font_source_sans_pro.font_directory],
        ignore_system_fonts=ours,  # the machine's own fonts help out with other writing, if it has any for it
    )
    if not isinstance(made, bytes):
        raise TypeError("typst gave no single document")
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(press(json.load(sys.stdin.buffer)))
