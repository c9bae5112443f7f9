"""Xero's tokens at rest: encrypted with keys from PROVENDER_TOKEN_KEYS, or a key file that only this user can read."""

import os
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings

KEY_FILE = "tokens.key"


def _keys() -> list[str]:
    if settings.TOKEN_KEYS:
        return [key.strip() for key in settings.TOKEN_KEYS.split(",") if key.strip()]
    path = settings.PROVENDER_HOME / KEY_FILE
    settings.PROVENDER_HOME.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().split()
    with os.fdopen(handle, "wb") as file:
        file.write(Fernet.generate_key())
    return path.read_text().split()


@lru_cache(maxsize=1)
def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in _keys()])


def seal(plain: bytes) -> bytes:
    """Encrypt under the newest key."""
    return _box().encrypt(plain)


def unseal(sealed: bytes | memoryview) -> bytes:
    """Decrypt with whichever key fits. Raises cryptography's InvalidToken when none does."""
    return _box().decrypt(bytes(sealed))


def seal_again(sealed: bytes | memoryview) -> bytes:
    """The same secret under the newest key, for rotating keys."""
    return _box().rotate(bytes(sealed))
