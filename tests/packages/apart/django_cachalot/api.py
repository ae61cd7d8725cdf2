from fastapi import FastAPI

from apart.shelf.lists import router
from django_mullet import mount_django

app = FastAPI()
app.include_router(router)
mount_django(app)
