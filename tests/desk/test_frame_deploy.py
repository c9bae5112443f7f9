"""Under an https address: Django's own deployment check, cookies, and what a proxy tells."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from wsgiref.util import setup_testing_defaults

import pytest
from django.contrib.sessions.models import Session
from django.core.cache.backends.db import DatabaseCache
from django.utils import timezone

from provender.cli.serving import web_server
from provender.config import settings as ours
from provender.desk import imports
from provender.people.actions import forget_sessions

CHECK = """
import json
import django
from django.conf import settings
from django.core.management import call_command
django.setup()
call_command("check", deploy=True, fail_level="INFO")
print(json.dumps([settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME]))
"""


def test_the_deployment_check_is_clean_under_https(tmp_path):
    environment = os.environ | {
        "PROVENDER_HOME": str(tmp_path),
        "PROVENDER_PUBLIC_URL": "https://desk.example.test",
        "DJANGO_SETTINGS_MODULE": "provender.config.settings",
        "DATABASE_URL": "",
    }
    done = subprocess.run([sys.executable, "-c", CHECK], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
    assert all(name.startswith("__Host-") for name in json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.django_db
@pytest.mark.parametrize("behind", [True, False])
def test_what_a_proxy_tells_is_believed_only_behind_one(settings, behind):
    settings.SECURE_SSL_REDIRECT, settings.BEHIND_PROXY = True, behind
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    server = web_server("127.0.0.1", 0)
    server.close()
    asked = {"PATH_INFO": "/webhooks/xero", "REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "https"}
    setup_testing_defaults(asked)
    answers = []
    server.application(asked, lambda status, _headers, *_: answers.append(status[:3]))
    assert answers == ["405" if behind else "301"]


def test_the_counts_of_the_log_in_limits_are_not_thrown_away_by_trying_many_addresses():
    cache = DatabaseCache("provender_cache", ours.CACHES["default"])
    tries_in_five_minutes = 100 * 30 * 5  # from a hundred machines, 30 a minute each
    assert cache._max_entries > tries_in_five_minutes


def test_the_largest_file_fits_into_the_largest_body():
    assert imports.LARGEST_FILE < ours.LARGEST_BODY


@pytest.mark.django_db
def test_sessions_that_ran_out_are_forgotten():
    for key, days in (("old", -1), ("new", 1)):
        Session.objects.create(session_key=key, expire_date=timezone.now() + timedelta(days=days))
    forget_sessions()
    assert [one.session_key for one in Session.objects.all()] == ["new"]
