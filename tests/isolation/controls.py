"""Which routes leak on purpose, so that the test is known to see it?"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

from django_mullet import APIRouter
from tests.isolation.looks import PAUSE, Look, look, looks
from tests.isolation.matrix import LOOKS, TENANTS
from tests.isolation.routes import TenantName
from tests.isolation.tenancy import set_tenant, tenant_set

__all__ = ["router"]

router = APIRouter(prefix="/check")

_threads = ThreadPoolExecutor(settings.THREADS)


@router.get("/wrong")
def wrong(tenant: TenantName) -> list[Look]:
    """Show another tenant's rows."""
    with tenant_set(TENANTS[TENANTS.index(tenant) - 1]):
        return looks()


@router.get("/threads")
async def any_thread(tenant: TenantName) -> list[Look]:
    """Hop to any of a few threads for each query, past the library: each has a connection."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(_threads, set_tenant, tenant)
    found = []
    for _ in range(LOOKS):
        await asyncio.sleep(PAUSE)
        found.append(await loop.run_in_executor(_threads, look))
    return found
