"""What do the servers of the isolation test serve?"""

import django

django.setup()

from fastapi import FastAPI  # noqa: E402

from django_mullet import mount_django  # noqa: E402
from tests.isolation import controls, routes  # noqa: E402

app = FastAPI()
for router in (routes.router, routes.outside, controls.router):
    app.include_router(router)
mount_django(app)
