from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin

from main.models import Simulation, User


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    fieldsets = (*DjangoUserAdmin.fieldsets, ("API", {"fields": ["api_key"]}))


@admin.register(Simulation)
class SimulationAdmin(admin.ModelAdmin):
    list_display = ["name", "user", "start_date", "end_date"]
    list_filter = ["user"]
    list_select_related = ["user"]
    search_fields = ["name"]
    date_hierarchy = "start_date"
