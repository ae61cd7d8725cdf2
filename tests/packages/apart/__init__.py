"""Packages that are tested each in a process and with settings of its own: see README.md."""
