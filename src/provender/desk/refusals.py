"""Answers for what can't be answered: what is too large or unreadable, an address that only takes forms, a database
or disk that can't be used. 403, 404, 413, 429 have templates of those names, which stand in the frame; 400, 500 and
503 stand alone, since nothing that a frame needs may be there.
"""

import sys
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string

from provender.basics.outage import is_outage

SMALL = 3 * 1024 * 1024  # where no file is taken: more than the longest form
RETRY_SECONDS = 30

Answer = Callable[[HttpRequest], HttpResponseBase]


def refuse_large(get_response: Answer) -> Answer:
    """Middleware: files come to a wholesaler's pages alone, and none is larger than the largest that one of them takes.

    Without a length nothing is read as a body, by Django's own rule.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        length = str(request.META.get("CONTENT_LENGTH", ""))
        largest = settings.LARGEST_BODY if request.path_info.startswith("/w/") else SMALL
        if length.isdecimal() and int(length) > largest:
            return render(request, "413.html", {"largest": largest // 1024 // 1024}, status=413)
        return get_response(request)

    return answer


def explain_method(get_response: Answer) -> Answer:
    """Middleware: who opens an address that only takes forms gets a page instead of an empty answer."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code != 405 or "text/html" not in request.headers.get("accept", ""):
            return response
        page = render(request, "405.html", status=405)
        page.headers["Allow"] = response.headers["Allow"]
        return page

    return answer


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a request that no browser of ours sends, or one to a host that this Provender doesn't go by."""
    elsewhere = isinstance(exception, DisallowedHost)
    return HttpResponse(render_to_string("400.html", {"elsewhere": elsewhere}), status=400)


def broken(request: HttpRequest) -> HttpResponse:
    """500; or 503 when the database or the disk can't be used now: it is away or full, or an update is under way."""
    if not is_outage(sys.exc_info()[1]):
        return HttpResponse(render_to_string("500.html"), status=500)
    return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": str(RETRY_SECONDS)})
