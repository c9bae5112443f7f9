"""Numbers of things in words."""


def counted(number: int, noun: str) -> str:
    """So many of them: "1 invoice", "1,204 invoices". The noun is one whose plural ends in -s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
