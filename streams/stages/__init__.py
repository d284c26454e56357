"""Stages that are used like operators and are none: they do I/O, so the same frame need not come out the same.

They are found by name as operators of other packages are, by entry points in pyproject.toml.
"""
