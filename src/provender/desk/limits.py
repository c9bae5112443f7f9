"""What is too large to be read at all, before anybody reads it."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

SMALL = 3 * 1024 * 1024  # where no file is taken: more than the longest form


def refuse_large(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
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
