"""What can go wrong between a person, us and Xero, apart from one document's problem (`problems.py`)."""

from collections.abc import Sequence
from datetime import datetime

from provender.basics.errors import ProvenderError


class NotConnectedHere(ProvenderError):
    """There is no live connection to work with."""

    code = "not-connected"

    def __init__(self, supplier: str) -> None:
        super().__init__(f"{supplier} is not connected to Xero. Connect it on the Xero page.")


class NeedsReconnecting(ProvenderError):
    """Xero no longer accepts our access; nothing is lost, changes wait."""

    code = "needs-reconnecting"

    def __init__(self, organisation: str, why: str) -> None:
        super().__init__(
            f"There is no way into {organisation} in Xero any more ({why}). Nothing is lost and changes wait."
            " Connect again on the Xero page."
        )


class XeroBusy(ProvenderError):
    """Xero, or our budget of calls, asks to wait."""

    code = "xero-busy"

    def __init__(self, why: str, until: datetime | None = None) -> None:
        when = f" after {until:%H:%M %Z}" if until else " in a minute"
        super().__init__(f"Xero can't be asked right now ({why}). It goes on by itself{when}.")


def why_busy(problem: str) -> str:
    """Why Xero can't be asked now, in words: `problem` is that of `xero.TryLater`."""
    return _WHY_BUSY.get(problem, problem)


_WHY_BUSY = {
    "minute": "its calls of this minute are used up",
    "day": "its calls of this day are used up",
    "concurrent": "too many calls at once",
    "appminute": "the calls of all wholesalers together are too many",
    "budget": "the calls that it allows are used up",
    "token": "the access is being renewed",
    "no-connection": "it can't be reached",
    "offline": "it is closed for maintenance",
    "server-error": "it has trouble of its own",
    "timeout": "it took too long to answer",
    "dropped": "the line broke",
    "unreadable": "its answer couldn't be read",
}


class XeroRefused(ProvenderError):
    """A call that a person asked for was refused."""

    code = "xero-refused"

    def __init__(self, words: str) -> None:
        super().__init__(f"Xero refused: {words}")


class AppNotSetUp(ProvenderError):
    """No client id of a Xero app is configured."""

    code = "app-not-set-up"

    def __init__(self) -> None:
        super().__init__(
            "This Provender has no Xero app yet. Set XERO_CLIENT_ID (and XERO_CLIENT_SECRET, unless the app uses PKCE)"
            " as the guide “Connecting Xero” says, then start it again."
        )


class TokenKeysUnusable(ProvenderError):
    """What should be the keys of Xero's tokens are none."""

    code = "token-keys-unusable"

    def __init__(self, where: str) -> None:
        super().__init__(
            f"{where} holds no usable key for Xero's tokens. Put the key back from its backup, or take it away: then a"
            " new one is made, and each wholesaler connects again."
        )


class ConsentCancelled(ProvenderError):
    """The person pressed Cancel at Xero, or Xero sent an error back."""

    code = "consent-cancelled"

    def __init__(self, error: str = "access_denied") -> None:
        reason = "Access was not given" if error == "access_denied" else f"Xero answered “{error}”"
        super().__init__(f"{reason}, so nothing was connected. Start again when you are ready.")


class StateUnknown(ProvenderError):
    """The answer from the consent page doesn't belong to a request of this person, or came too late."""

    code = "state-unknown"

    def __init__(self) -> None:
        super().__init__(
            "This answer from Xero doesn't belong to a connection that you started here in the last half hour, so it"
            " was ignored. Start again from the Xero page."
        )


class CodeRefused(ProvenderError):
    """The one-time code from the consent page didn't work."""

    code = "code-refused"

    def __init__(self) -> None:
        super().__init__(
            "Xero didn't accept the one-time code of this consent (it works once, for five minutes). Start again."
        )


class AppRefused(XeroBusy):
    """Xero doesn't know the app that this Provender says it is, or refuses its secret."""

    code = "app-refused"

    def __init__(self) -> None:
        ProvenderError.__init__(
            self,
            "Xero doesn't accept this Provender's app. XERO_CLIENT_ID, XERO_CLIENT_SECRET and the redirect address must"
            " be those of the app in Xero's developer portal: whoever runs Provender mends them and starts it again."
            " Nothing is lost, and what waits goes by itself then.",
        )


class NoOrganisation(ProvenderError):
    """The consent named no organisation."""

    code = "no-organisation"

    def __init__(self) -> None:
        super().__init__("The consent named no organisation. Start again and choose the organisation at Xero.")


class OrganisationTaken(ProvenderError):
    """Another wholesaler here is connected to that organisation."""

    code = "organisation-taken"

    def __init__(self, organisation: str) -> None:
        super().__init__(
            f"{organisation} is connected to another wholesaler of this Provender. One organisation can be kept in"
            " step with one wholesaler only: disconnect it there first, or choose another organisation."
        )


class AlreadyConnected(ProvenderError):
    """This wholesaler is connected to a different organisation."""

    code = "already-connected"

    def __init__(self, organisation: str) -> None:
        super().__init__(f"This wholesaler is connected to {organisation}. Disconnect it before choosing another.")


class SettingRefused(ProvenderError):
    """A setting can't be what was chosen; `errors` is field → reason."""

    code = "setting-refused"

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__(" ".join(errors.values()))


class SettingsMoved(ProvenderError):
    """Somebody saved the settings at the same moment."""

    code = "settings-moved"

    def __init__(self) -> None:
        super().__init__("Somebody saved these settings at the same moment. Look at them again, then save.")


class TrackingMoved(ProvenderError):
    """Somebody bound the same property or option since the page was made; `what` says to what."""

    code = "tracking-moved"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} by now: somebody changed it while you were at it, so yours isn’t saved.")


class TrackingRefused(ProvenderError):
    """That property or option can't be bound so."""

    code = "tracking-refused"

    def __init__(self, why: str) -> None:
        super().__init__(why)


class TooManyCategories(ProvenderError):
    """A third property would be a tracking category."""

    code = "too-many-categories"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"{' and '.join(names)} are tracking categories already, and Xero takes two on a line. Take the tag off one"
            " of them, or unbind it on the tracking page, first."
        )


class ProblemGone(ProvenderError):
    """Somebody solved it meanwhile, or the document has moved on."""

    code = "problem-gone"

    def __init__(self) -> None:
        super().__init__("This problem was solved meanwhile, or the document has changed since. Look at it again.")


class LinkRefused(ProvenderError):
    """The contact or document chosen by hand can't be linked."""

    code = "link-refused"

    def __init__(self, why: str) -> None:
        super().__init__(why)


class VersionUnknown(ProvenderError):
    """What Xero has of an invoice is none of its versions."""

    code = "version-unknown"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"What Xero has of invoice {number} is none of its versions here, so the difference can't be worked out."
            " Write a credit note or a further invoice by hand, or leave it."
        )


class PullGone(ProvenderError):
    """A pull was applied or undone already, or a newer one stands in its place."""

    code = "pull-gone"

    def __init__(self) -> None:
        super().__init__("This pull was applied or undone meanwhile, or a newer one took its place. Sync again.")


class LostLease(Exception):
    """This worker was overtaken; it changes nothing any more."""
