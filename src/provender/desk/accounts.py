"""Login by django-allauth, with our rules: nobody signs up unasked, links lead to us, secrets are encrypted."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account import forms
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest

from provender.sync import secrets

EMAIL = "E-mail address"  # the same words as on our own forms


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 -- allauth's signature
        """Closed: people come by invitation (`/join/…`)."""
        return False

    def format_email_subject(self, subject: str) -> str:
        return f"Provender: {subject}"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link in the mail leads to our public address, whatever host the request named."""
        return f"{settings.PUBLIC_URL}{urlsplit(super().get_reset_password_from_key_url(key)).path}"


class LoginForm(forms.LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = EMAIL


class ResetPasswordForm(forms.ResetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = EMAIL


class TwoStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of the second step are encrypted at rest, with the keys that encrypt Xero's tokens."""

    def get_totp_issuer(self) -> str:
        """What an authenticator app shows beside the code."""
        return "Provender"

    def encrypt(self, text: str) -> str:
        return secrets.seal(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.unseal(encrypted_text.encode()).decode()
