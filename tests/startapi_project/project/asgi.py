import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from fastapi import FastAPI  # noqa: E402

from django_mullet import mount_django  # noqa: E402

app = FastAPI()
mount_django(app)
