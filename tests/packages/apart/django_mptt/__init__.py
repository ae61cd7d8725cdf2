"""django-mptt: a tree of which each save renumbers a part."""
