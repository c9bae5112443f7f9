"""What needs a person: problems grouped by cause, and the repairs that mend them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from provender.basics.wording import counted
from provender.desk.amending import amend_refused
from provender.desk.both_sides import both_sides
from provender.desk.frame import DeskRequest, back, connected, member
from provender.people.models import Membership
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync import actions, queries, tracking_actions
from provender.sync.connections import last_connection
from provender.sync.documents import LINED
from provender.sync.errors import ProblemGone
from provender.sync.models import Problem
from provender.sync.named import name_all
from provender.sync.problems import OF_CONNECTIONS, Repair
from provender.sync.queries import Group, ProblemRow

SHOWN_OF_A_CAUSE = 5
PER_PAGE = 25


@dataclass(frozen=True)
class Decision:
    """A repair that asks first: what it will do, in a sentence, and what it says once done."""

    title: str
    sentence: str
    button: str
    done: str
    act: Callable[..., object]  # of the problem, the person and, with `asks_why`, the reason given
    asks_why: bool = False


DECISIONS = {
    "keep-theirs": Decision(
        "Keep Xero’s version of {number}",
        "Xero’s version stays as it is and ours isn’t sent. Here ours stays as it is too. A later edit here asks"
        " you again.",
        "Keep Xero’s",
        "{number}: Xero’s version stays.",
        actions.keep_theirs,
    ),
    "send-ours": Decision(
        "Send our version of {number}",
        "Our version is written over the one in Xero that is shown here. Should somebody change it in Xero before it"
        " arrives, you are asked again.",
        "Send ours",
        "{number}: our version is on its way to Xero.",
        actions.send_ours,
    ),
    "leave": Decision(
        "Leave {number} as it is",
        "Nothing is sent and nothing is changed, here or in Xero; the problem is closed. A later edit here is"
        " tried again.",
        "Leave it",
        "{number} is left as it is.",
        actions.leave,
        asks_why=True,
    ),
    "renumber": Decision(
        "Give {number} the next number",
        "Ours gets the next free number of yours and goes to Xero under that. The document in Xero is not"
        " touched. If it was given to the customer already, send it to them again.",
        "Give it the next number",
        "{number} has a new number and is on its way to Xero.",
        actions.renumber,
    ),
    "adopt": Decision(
        "Link {number} to the one in Xero",
        "The document of this number in Xero is taken to be the same one: the two are linked and nothing is written to"
        " it now. From the next edit here on, ours is sent.",
        "Link them",
        "{number} is linked to the one in Xero.",
        actions.adopt,
    ),
    "approve": Decision(
        "Approve for {number}",
        "What is still a draft in Xero is approved there, as it stands here, so that it takes the money; then this goes"
        " to Xero. An approved document is in the books at once.",
        "Approve in Xero",
        "{number}: what was a draft is being approved in Xero, and it goes then.",
        actions.approve,
    ),
    "send-first": Decision(
        "Send the invoices of payout {number} first",
        "Its invoices that aren’t in Xero go there now, approved; then the payout is deposited. Should one of them need"
        " a person, the payout waits.",
        "Send them first",
        "{number}: its invoices are on the way to Xero, and the deposit follows.",
        actions.send_first,
    ),
    "pay-up-to": Decision(
        "Let payout {number} pay up to what is due",
        "Of the invoices that have less left to pay in Xero, the payout pays just that; the rest of those lines is"
        " left for hand. The deposit is then smaller than the line in the bank by it: enter that in Xero yourself.",
        "Pay up to what is due",
        "{number} pays what is due, and is on its way to Xero.",
        actions.pay_less,
    ),
    "take-out": Decision(
        "Take what holds payout {number} out of it",
        "The lines of the invoices named above are left for hand, and those invoices are open again here. The deposit"
        " is then smaller than the line in the bank by these lines: enter them in Xero yourself.",
        "Take them out",
        "{number} goes to Xero without them.",
        actions.take_out,
    ),
    "reopen": Decision(
        "Open {number} again",
        "It was taken back in Xero, so it counts here no more: what it paid, credited or refunded is open again.",
        "Open it again",
        "{number} is open again.",
        actions.reopen,
    ),
    "keep-as-paid": Decision(
        "Keep {number} as paid",
        "It counts here though Xero has it no more. Should it be recorded there again, that is taken for the same"
        " money.",
        "Keep it as paid",
        "{number} still counts.",
        actions.keep_as_paid,
    ),
    "count-it": Decision(
        "Count here what Xero has on {number}",
        "The invoice is read from Xero now, and every payment and credit on it there counts here too.",
        "Count it here",
        "{number}: what Xero has on it counts here.",
        actions.count_it,
    ),
    "take-payments": Decision(
        "Count Xero’s payments of {number}",
        "What was noted here and isn’t in Xero is taken back, and Xero’s payments, as they are shown here, stand in its"
        " place.",
        "Count Xero’s payments",
        "{number}: Xero’s payments count.",
        actions.take_payments,
    ),
    "without-item-codes": Decision(
        "Send {number} without item codes",
        "The lines go to Xero with their description, quantity and price, but without item codes, so that Xero’s stock"
        " doesn’t count. This holds for this invoice, also when it is edited later.",
        "Send without item codes",
        "{number} is on its way to Xero, without item codes.",
        actions.without_item_codes,
    ),
    "add-in-xero": Decision(
        "Add in Xero what {number} lacks there",
        "The option or the category named above is added to the tracking categories in Xero. Then all that waits for"
        " it goes.",
        "Add it in Xero",
        "{number}: what it lacked is in Xero, and it is on its way.",
        tracking_actions.mend_tracking,
    ),
    "restore-in-xero": Decision(
        "Restore in Xero what {number} lacks there",
        "The archived option or category named above is made active again in Xero. Then all that waits for it goes.",
        "Restore it in Xero",
        "{number}: what it lacked is active in Xero again, and it is on its way.",
        tracking_actions.mend_tracking,
    ),
    "without-tracking": Decision(
        "Send {number} without tracking",
        "The lines go to Xero without any tracking option. This holds for this invoice, also when it is edited later."
        " Here its lines keep what they carry.",
        "Send without tracking",
        "{number} is on its way to Xero, without tracking.",
        actions.without_tracking,
    ),
}
PLACES = {"open-settings": "desk:xero-settings", "open-tracking": "desk:xero-tracking", "reconnect": "desk:xero"}
PAGES = {  # where a document of that kind is shown
    "invoice": "desk:invoice",
    "credit_note": "desk:credit-note",
    "payout": "desk:payout",
}
FORMS = {  # and where it is changed, by whom; one that was voided in Xero is cancelled on its page
    "invoice": ("desk:invoice-edit", Doing.TRADE),
    "credit_note": ("desk:credit-note-edit", Doing.BOOKS),
}
OF_DOCUMENT = {
    "edit-document": "desk:invoice",
    "open-payout": "desk:payout",
    "edit-product": "desk:product-edit",
    "edit-customer": "desk:customer-edit",
    "link-contact": "desk:customer-contact",
}
NEEDS = {  # the rest needs BOOKS
    "edit-document": Doing.LOOK,
    "open-payout": Doing.LOOK,
    "open-in-xero": Doing.LOOK,
    "open-settings": Doing.LOOK,
    "open-tracking": Doing.LOOK,
    "edit-customer": Doing.TRADE,
    "edit-product": Doing.TRADE,
}


@dataclass(frozen=True)
class Offer:
    """A repair as a button: a link, or (`posts`) a form's only button; `outside` opens Xero."""

    label: str
    url: str
    posts: bool = False
    outside: bool = False


def offers(membership: Membership, row: ProblemRow, leave_out: Collection[str] = ()) -> list[Offer]:
    """The repairs of one problem that this person may do, the likeliest first, but for those in `leave_out`."""
    slug = membership.supplier.slug
    may = [one for one in row.repairs if membership.may(NEEDS.get(one.do, Doing.BOOKS)) and one.do not in leave_out]
    made = [_offer(slug, row, one) for one in may]
    return [one for one in made if one.url]


def _offer(slug: str, row: ProblemRow, repair: Repair) -> Offer:
    if repair.do == "open-in-xero":
        return Offer(repair.label, row.url_in_xero, outside=True)
    if repair.do == "send-again":
        return Offer(repair.label, reverse("desk:problem-again", args=[slug, row.problem.pk]), posts=True)
    if repair.do in PLACES:
        return Offer(repair.label, reverse(PLACES[repair.do], args=[slug]))
    return Offer(repair.label, reverse("desk:problem-repair", args=[slug, row.problem.pk, repair.do]))


@dataclass(frozen=True)
class ShownGroup:
    """A cause with those of its documents that the page shows."""

    group: Group
    rows: list[ProblemRow]
    sends_again: bool
    of_connection: bool  # it isn't any document's
    settings: str  # what the button to the settings says, for causes that they mend

    @property
    def more(self) -> int:
        """How many documents of the cause are not shown."""
        return 0 if self.of_connection else self.group.count - len(self.rows)


@member(Doing.LOOK)
def problems(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """All causes with a few documents each, or (`?cause=`) all documents of one, in pages."""
    cause, connection = request.GET.get("cause", ""), last_connection(supplier)
    groups = queries.problem_groups(supplier)
    context: dict[str, Any] = {"connection": connection, "line": queries.xero_line(supplier), "cause": cause}
    if cause:
        groups = [group for group in groups if group.cause == cause]
    if not groups or connection is None:
        return render(request, "desk/xero/problems.html", context)
    if cause:
        found = queries.open_problems(connection).filter(cause=cause)
        context["page"] = page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        rows = queries.problem_rows(connection, page.object_list)
    else:
        rows = queries.problem_rows(connection, queries.newest_of_each_cause(connection, SHOWN_OF_A_CAUSE))
    by_cause: dict[str, list[ProblemRow]] = {}
    for row in rows:
        by_cause.setdefault(row.problem.cause, []).append(row)
    context["groups"] = [_shown(group, by_cause.get(group.cause, [])) for group in groups]
    return render(request, "desk/xero/problems.html", context)


def _shown(group: Group, rows: list[ProblemRow]) -> ShownGroup:
    labels = {repair.do: repair.label for repair in group.repairs}
    of_connection = group.cause in {cause.code for cause in OF_CONNECTIONS}
    return ShownGroup(group, rows, "send-again" in labels, of_connection, labels.get("open-settings", ""))


@member(Doing.BOOKS)
@require_POST
def again(request: DeskRequest, supplier: Supplier, pk: int) -> HttpResponse:
    """Try this document again."""
    problem = _problem(supplier, pk)
    if problem.solved_at is not None:
        return _gone(request, supplier)
    actions.try_again(problem, request.user)
    messages.success(request, f"{_number(problem)} is on its way to Xero again.")
    return back(request)


@member(Doing.BOOKS)
@require_POST
def again_all(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Try every document of one cause again."""
    connection = connected(supplier)
    count = actions.send_again(connection, request.POST.get("cause", ""), request.user)
    if count:
        messages.success(request, f"{counted(count, 'document')} on the way to Xero again.")
    else:
        messages.info(request, "Nothing of this cause is left.")
    return redirect("desk:problems", slug=supplier.slug)


@member(Doing.LOOK, post=Doing.BOOKS)
def repair(request: DeskRequest, supplier: Supplier, pk: int, do: str) -> HttpResponse:
    """Go to where it is mended, or show what the repair will do beside both states; sent, do it."""
    problem = _problem(supplier, pk)
    if problem.solved_at is not None:
        return _gone(request, supplier)
    if do in OF_DOCUMENT and request.method != "POST":
        place = _where_changed(request, problem) if do == "edit-document" else OF_DOCUMENT[do]
        return redirect(place, slug=supplier.slug, pk=_subject(problem, do))
    if do == "amend" and problem.kind == "invoice":
        return amend_refused(request, supplier, problem)
    decision = DECISIONS.get(do)
    if decision is None:
        raise Http404("No such repair.")
    number = _number(problem)
    if request.method == "POST":
        if request.POST.get("shown") != problem.found_at.isoformat():  # it holds for the state that was shown
            return _gone(request, supplier)
        try:
            decision.act(problem, request.user, *([request.POST.get("why", "").strip()] if decision.asks_why else []))
        except ProblemGone:
            return _gone(request, supplier)
        messages.success(request, decision.done.format(number=number))
        return redirect("desk:problems", slug=supplier.slug)
    row = next(iter(queries.problems_of(supplier, documents=[problem.document])), None)
    context = {
        "problem": problem,
        "row": row,
        "decision": decision,
        "title": decision.title.format(number=number),
        "sides": both_sides(problem),
        "instead": [(one.do, one.label) for one in row.repairs if one.do in DECISIONS and one.do != do] if row else [],
    }
    return render(request, "desk/xero/decide.html", context)


def _problem(supplier: Supplier, pk: int) -> Problem:
    all_ = Problem.objects.select_related("connection__supplier").filter(connection__supplier=supplier)
    return get_object_or_404(all_, pk=pk)


def _gone(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Solved meanwhile, or no longer what was shown: nothing is done, and the list shows what there is now."""
    messages.warning(request, ProblemGone().sentence)
    return redirect("desk:problems", slug=supplier.slug)


def _number(problem: Problem) -> str:
    named = name_all([problem]).get(problem.document)
    return named.number if named else str(problem.words.get("number", ""))


def _where_changed(request: DeskRequest, problem: Problem) -> str:
    """The form of the document for those who may change it, else its page."""
    form, doing = FORMS.get(problem.kind, ("", Doing.LOOK))
    if form and problem.cause != "voided-in-xero" and request.membership.may(doing):
        return form
    return PAGES.get(problem.kind, OF_DOCUMENT["edit-document"])


def _subject(problem: Problem, do: str) -> object:
    """The document to open, or its customer, or the product whose account is at fault."""
    if do == "edit-product":
        product = queries.product_at_fault(problem)
        if product is None:
            raise Http404("No product is at fault.")
        return product
    if do in {"edit-document", "open-payout"}:
        return problem.document
    lined = LINED.get(problem.kind)
    document = lined and lined.of(problem.connection).filter(pk=problem.document).first()
    if not document:
        raise Http404("It has no customer.")
    return document.customer_id
