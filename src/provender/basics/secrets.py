"""Secrets that are made once and kept in a file that only this user can read."""

import os
import tempfile
from pathlib import Path


def keep_secret(path: Path, value: str) -> str:
    """Keep `value` in the file, unless another process was first; the secret that is kept.

    The file appears whole or not at all: nobody reads it between its making and its writing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(value)
        os.link(draft, path)
    except FileExistsError:
        return path.read_text().strip()
    finally:
        Path(draft).unlink()
    return value
