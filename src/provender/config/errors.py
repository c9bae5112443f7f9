"""What can be wrong with the environment that this Provender is started in."""

from provender.basics.errors import ProvenderError


class SettingUnusable(ProvenderError):
    """An environment variable, or what is kept in its place, can't be used; nothing can start."""

    code = "setting-unusable"

    def __init__(self, name: str, what: str, why: str) -> None:
        super().__init__(f"{name} is {what}: {why}.")
