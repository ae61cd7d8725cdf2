"""An app for packages that look at any models and routes: books, and what an API does with them."""
