"""Markup that is escaped as it is made: text becomes part of a page by `element` only."""

from html import escape

from framelane.printable import printable

_VOID = frozenset({"meta", "link", "img", "br", "hr"})


class Markup(str):
    """Markup that is sound as it stands."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """An element. children: text, which is escaped, or Markup. attributes: None leaves one out; `_` stands for `-`.

    An attribute that is a word of Python ends in `_`, as `class_`.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(printable(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    """Text, which is escaped, and Markup, one after the other."""
    return Markup("".join(each if isinstance(each, Markup) else escape(printable(each)) for each in children))
