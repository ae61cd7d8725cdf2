"""fastapi-pagination: pages of schemas, each with its total, over a queryset."""
