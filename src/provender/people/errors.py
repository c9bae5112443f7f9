"""What can be wrong with people, their roles and their links."""

from provender.basics.errors import ProvenderError


class LinkUnknown(ProvenderError):
    """No invitation has that secret."""

    code = "link-unknown"

    def __init__(self) -> None:
        super().__init__("This link is not one of ours. Check that the whole of it was copied, or ask for a new one.")


class LinkUsed(ProvenderError):
    """The invitation was taken up before."""

    code = "link-used"

    def __init__(self) -> None:
        super().__init__(
            "This link was used already, and each works once. If it was you, log in; otherwise ask for a new one."
        )


class LinkExpired(ProvenderError):
    """The invitation's time is over."""

    code = "link-expired"

    def __init__(self) -> None:
        super().__init__("This link has expired. Ask the person who invited you for a new one.")


class AddressTaken(ProvenderError):
    """Somebody with that address logs in here already."""

    code = "address-taken"

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} has a login here already. Log in with it, then open the link again.")


class LinkForSomebodyElse(ProvenderError):
    """The invitation names another address than the person's."""

    code = "link-for-somebody-else"

    def __init__(self, invited: str, who: str) -> None:
        super().__init__(
            f"This link was made for {invited}, and you are logged in as {who}. Log out, then open it again."
        )


class AlreadyMember(ProvenderError):
    """The person has a role at this wholesaler."""

    code = "already-member"

    def __init__(self, email: str, supplier: str) -> None:
        super().__init__(f"{email} belongs to {supplier} already. Change the role in the list of people instead.")


class LastOwner(ProvenderError):
    """A wholesaler must keep an owner."""

    code = "last-owner"

    def __init__(self, supplier: str) -> None:
        super().__init__(f"{supplier} would be left without an owner. Make somebody else an owner first.")
