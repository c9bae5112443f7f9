"""The `provender` command. Django is set up inside the commands, so that `--help` stays fast."""

import os

import click


def setup() -> None:
    """Make Django's models usable; call it first in every command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "provender.config.settings")
    import django

    django.setup()


@click.group()
def main() -> None:
    """Provender: an order desk for wholesalers, kept in step with Xero."""


from provender.cli.imports import import_group  # noqa: E402 -- the group must exist before its commands

main.add_command(import_group)
