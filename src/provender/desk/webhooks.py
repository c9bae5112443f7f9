"""Where Xero's webhook knocks: no person, no session, no cookie; a signature instead."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from provender.sync import webhooks


@csrf_exempt
@require_POST
def xero(request: HttpRequest) -> HttpResponse:
    """Empty 200 for what is signed with our key, 401 for what isn't; 404 where no key is set up."""
    if not settings.XERO_WEBHOOK_KEY:
        raise Http404("No webhook is set up.")
    body = request.body
    if not webhooks.is_signed(body, request.headers.get("x-xero-signature", "")):
        return HttpResponse(status=401)
    webhooks.hear(body)
    return HttpResponse()
