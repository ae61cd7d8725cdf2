"""The names of other libraries beyond public API that django-mullet relies on.

One module for each library lists them: which, what for, and which public door is missing. They are
looked for when the module is imported. `docs/compatibility.md` has its tables from there, and
`tests/_compat` takes each name away.
"""
