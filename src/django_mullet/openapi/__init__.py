"""The OpenAPI document: docs pages, component names, warnings, differences."""
