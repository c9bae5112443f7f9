"""Login by django-allauth, with our rules: nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed: people come by invitation (`/join/…`)."""
        return False

    def format_email_subject(self, subject: str) -> str:
        return f"Provender: {subject}"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link in the mail leads to our public address, whatever host the request named."""
        url: str = super().get_reset_password_from_key_url(key)
        return f"{settings.PUBLIC_URL}{url[url.index('/', url.index('://') + 3) :]}" if "://" in url else url
