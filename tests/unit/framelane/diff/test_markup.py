import pytest

from framelane.diff.markup import Markup, element, joined

EVIL = "<script>alert('x')</script>&\"\x00\x1b"
HARMLESS = "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;&quot;??"


def test_text_is_escaped_and_markup_is_not() -> None:
    assert joined(EVIL, Markup("<b>")) == f"{HARMLESS}<b>"
    assert element("p", EVIL, element("b", "1 < 2")) == f"<p>{HARMLESS}<b>1 &lt; 2</b></p>"


def test_attributes_are_escaped() -> None:
    assert element("td", title=EVIL, class_="n", colspan=2, id=None) == (
        f'<td title="{HARMLESS}" class="n" colspan="2"></td>'
    )


@pytest.mark.parametrize("name", ["meta", "img", "link"])
def test_what_has_no_content_has_no_end(name: str) -> None:
    assert element(name, aria_label="a") == f'<{name} aria-label="a">'


def test_what_is_added_to_markup_is_text_again() -> None:
    assert joined(Markup("<b>") + "<i>") == "&lt;b&gt;&lt;i&gt;"
