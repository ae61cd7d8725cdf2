from fastapi import FastAPI

from apart.shelf.lists import router
from django_mullet import APIRouter, mount_django

recorded = APIRouter(django_middleware=True)
recorded.include_router(router)

app = FastAPI()
app.include_router(recorded)
mount_django(app)
