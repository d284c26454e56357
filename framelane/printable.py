"""Text from records, fit for a terminal."""


def printable(text: str) -> str:
    """The text in one line, with `?` for what a terminal would obey: anybody may write headers."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else " " if each.isspace() else "?" for each in text)
