"""What the admin shows, in the packages' own ways."""

from django.contrib import admin
from guardian.admin import GuardedModelAdmin
from simple_history.admin import SimpleHistoryAdmin
from treebeard.admin import TreeAdmin

from shop.models import Book, Category


@admin.register(Book)
class BookAdmin(SimpleHistoryAdmin, GuardedModelAdmin):
    pass


admin.site.register(Category, TreeAdmin)
