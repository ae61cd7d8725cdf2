from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "apart.django_tenants"
    label = "apart_tenants"
