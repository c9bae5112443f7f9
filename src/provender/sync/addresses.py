"""Where documents and contacts open in Xero, or in the simulator."""

from provender.sync.models import Connection
from provender.sync.tokens import endpoints

OPENS_IN_XERO = ("invoice", "credit_note")


def url_in_xero(connection: Connection, xero_id: str, kind: str = "invoice") -> str:
    """The address that opens this invoice or credit note in Xero, or "" when there is none."""
    if not xero_id or kind not in OPENS_IN_XERO:
        return ""
    login = endpoints().login
    if "login.xero.com" not in login:  # the simulator has pages of its own
        if kind == "credit_note":
            return f"{login}/_simulator/?organisation={connection.tenant}&view=credit-notes#{xero_id}"
        return f"{login}/_simulator/invoice/{xero_id}?organisation={connection.tenant}"
    return _inside_xero(connection, f"/AccountsReceivable/View.aspx?InvoiceID={xero_id}")


def _inside_xero(connection: Connection, path: str) -> str:
    return f"https://go.xero.com/organisationlogin/default.aspx?shortcode={connection.short_code}&redirecturl={path}"


def contact_url(connection: Connection, contact_id: str) -> str:
    """The address that opens this contact in Xero."""
    login = endpoints().login
    if "login.xero.com" not in login:  # the simulator has a page of its own
        return f"{login}/_simulator/?organisation={connection.tenant}&view=contacts"
    return _inside_xero(connection, f"/Contacts/View/{contact_id}")
