"""What a WSGI server runs: `gunicorn provender.config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "provender.config.settings")
application = get_wsgi_application()
