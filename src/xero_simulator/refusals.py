"""The answer to each way in which a request as a whole is refused."""

import uuid

from xero_simulator import messages
from xero_simulator.errors import (
    BadCondition,
    BadPost,
    BadQuery,
    BadRequest,
    BadXml,
    LimitReached,
    NotFound,
    NothingPosted,
    NotImplementedHere,
    RequestRefused,
    TenantRefused,
    Unauthorised,
)
from xero_simulator.idempotency import KeyClash
from xero_simulator.switches import Switches
from xero_simulator.wire import Answer, json_answer, text_answer

SHOWN_LIMITS = {"minute": "Minute", "day": "Day", "concurrent": "Concurrent", "appminute": "AppMinute"}


def answer_refusal(switches: Switches, refusal: RequestRefused) -> Answer:
    """Xero's body and status for it."""
    match refusal:
        case BadPost():
            kind = "Xml" if isinstance(refusal, BadXml) else "JSON"
            return _exception(14, "PostDataInvalidException", f"{kind} for post data was invalid, {refusal}")
        case NothingPosted():
            known = switches["error_numbers_known"]
            return _exception(17 if known else 10, "NoDataProcessedException", messages.NO_DATA.format(key=refusal.key))
        case BadQuery():
            return _exception(16 if switches["error_numbers_known"] else 10, "QueryParseException", str(refusal))
        case BadRequest():
            return _exception(10, "ValidationException", str(refusal))
        case BadCondition():
            return text_answer(str(refusal), 412)
        case NotFound():
            return _not_found(switches)
        case NotImplementedHere():
            return _gateway(501, "NotImplemented", "The API method is not implemented")
        case Unauthorised():
            return _gateway(401, "Unauthorized", str(refusal))
        case TenantRefused():
            return _gateway(403, "Forbidden", str(refusal))
        case LimitReached():
            answer = limit_answer(switches, refusal.problem, refusal.retry_after)
            answer.headers.update(refusal.remaining)
            return answer
    return _exception(10, "ValidationException", str(refusal))


def _exception(number: int, kind: str, text: str) -> Answer:
    return json_answer({"ErrorNumber": number, "Type": kind, "Message": text}, 400)


def _gateway(status: int, title: str, detail: str) -> Answer:
    body: dict[str, object] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": str(uuid.uuid4()),
        "Extensions": {},
    }
    return json_answer(body, status)


def _not_found(switches: Switches) -> Answer:
    if switches["not_found_json"]:
        return _gateway(404, "NotFound", messages.NOT_FOUND)
    return text_answer(messages.NOT_FOUND, 404)


def limit_answer(switches: Switches, problem: str, retry_after: int | None) -> Answer:
    """429: the limit's name, and the seconds to wait where Xero tells them."""
    shown = SHOWN_LIMITS[problem] if switches["limit_names_capitalised"] else problem
    answer = Answer(429) if switches["limit_body_empty"] else text_answer("The rate limit was exceeded.", 429)
    answer.headers["X-Rate-Limit-Problem"] = shown
    if retry_after is not None and (problem != "appminute" or switches["app_limit_tells_wait"]):
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def answer_clash(switches: Switches, clash: KeyClash) -> Answer:
    """400 for an idempotency key that belongs to another request."""
    if switches["idempotency_clash_in_elements"]:
        body: dict[str, object] = {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": messages.VALIDATION_HEADLINE,
            "Elements": [{"ValidationErrors": [{"Message": clash.text}]}],
        }
    else:
        body = {"ErrorNumber": 10, "Type": "ValidationException", "Message": clash.text}
    return json_answer(body, clash.status)
