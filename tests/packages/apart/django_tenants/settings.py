from apart.base import *

SHARED_APPS = ["django_tenants", PACKAGE, *INSTALLED_APPS]
TENANT_APPS = [PACKAGE]
INSTALLED_APPS = SHARED_APPS
TENANT_MODEL = "apart_tenants.Tenant"
TENANT_DOMAIN_MODEL = "apart_tenants.Domain"
DATABASES["default"]["ENGINE"] = "django_tenants.postgresql_backend"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware"]
