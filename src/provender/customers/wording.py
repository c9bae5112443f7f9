"""Payment terms in words: "14 days from the order", "The 20th of the month after the invoice"."""

from provender.basics.wording import counted
from provender.customers.models import Customer, FollowedTerms
from provender.customers.queries import LAST_DAY


def terms_of(customer: Customer) -> str:
    """A customer's terms."""
    return terms_in_words(customer.terms_days, customer.terms_from, customer.followed_terms, customer.followed_day)


def terms_in_words(days: int, start: str, followed: str = "", day: int = 0) -> str:
    """The same for terms that no customer stands behind yet."""
    if followed:
        return followed_in_words(followed, day)
    if days == 0:
        return "On delivery" if start == Customer.TermsFrom.DELIVERY else "On the day of the order"
    return f"{counted(days, 'day')} {Customer.TermsFrom(start).label}"


def followed_in_words(terms: str, day: int) -> str:
    """Terms that are kept elsewhere (FollowedTerms)."""
    if terms in (FollowedTerms.AFTER_INVOICE, FollowedTerms.AFTER_MONTH):
        start = "the invoice" if terms == FollowedTerms.AFTER_INVOICE else "the end of the invoice’s month"
        if day == 0:
            return f"At {start}" if terms == FollowedTerms.AFTER_MONTH else "On the day of the invoice"
        return f"{counted(day, 'day')} from {start}"
    which = "The last day" if day >= LAST_DAY else f"The {day}{_ordinal(day)}"
    return f"{which} of {'the invoice’s month' if terms == FollowedTerms.THIS_MONTH else 'the month after the invoice'}"


def _ordinal(day: int) -> str:
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
