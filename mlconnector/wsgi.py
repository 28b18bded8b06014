"""The web application, for gunicorn."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from mlconnector import embedded_postgres

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlconnector.settings")
if settings.EMBEDDED_POSTGRES:
    embedded_postgres.ensure(settings.EMBEDDED_POSTGRES)
application = get_wsgi_application()
