"""What a WSGI server runs: `gunicorn provender.config.wsgi`."""

import os

import django
from django.core.wsgi import get_wsgi_application

from provender.cli.serving import collect_static

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "provender.config.settings")
django.setup(set_prefix=False)
collect_static()
application = get_wsgi_application()
