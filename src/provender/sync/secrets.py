"""Xero's tokens at rest: encrypted with keys from PROVENDER_TOKEN_KEYS, or a key file that only this user can read."""

import os
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from provender.basics.secrets import keep_secret
from provender.sync.errors import TokenKeysUnusable

KEY_FILE = "tokens.key"


def _keys() -> list[str]:
    if settings.TOKEN_KEYS:
        return [key.strip() for key in settings.TOKEN_KEYS.split(",") if key.strip()]
    path = settings.PROVENDER_HOME / KEY_FILE
    if not path.exists():
        keep_secret(path, Fernet.generate_key().decode())
    return path.read_text().split()


@lru_cache(maxsize=1)
def _box() -> MultiFernet:
    where = "PROVENDER_TOKEN_KEYS" if settings.TOKEN_KEYS else str(settings.PROVENDER_HOME / KEY_FILE)
    try:
        return MultiFernet([Fernet(key) for key in _keys()])
    except (OSError, ValueError) as error:
        raise TokenKeysUnusable(where) from error


def seal(plain: bytes) -> bytes:
    """Encrypt under the newest key. Raises TokenKeysUnusable, as all here do."""
    return _box().encrypt(plain)


def unseal(sealed: bytes | memoryview) -> bytes:
    """Decrypt with whichever key fits. Raises cryptography's InvalidToken when none does."""
    try:
        return _box().decrypt(bytes(sealed))
    except InvalidToken:
        _box.cache_clear()  # another process may have put a new key into the file
        return _box().decrypt(bytes(sealed))


def seal_again(sealed: bytes | memoryview) -> bytes:
    """The same secret under the newest key, for rotating keys."""
    return _box().rotate(bytes(sealed))


def prove_keys() -> None:
    """Raise TokenKeysUnusable when there are keys that are none; that there is no key yet is fine."""
    if settings.TOKEN_KEYS or (settings.PROVENDER_HOME / KEY_FILE).exists():
        _box()


def add_key() -> bool:
    """Put a new key first in the key file, and keep the one before; False when the keys come from the environment."""
    if settings.TOKEN_KEYS:
        return False
    path = settings.PROVENDER_HOME / KEY_FILE
    keys = [Fernet.generate_key().decode(), *_keys()[:1]]
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write("\n".join(keys) + "\n")
    fresh.replace(path)
    _box.cache_clear()
    return True
