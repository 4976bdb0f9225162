import pytest

from digest.demo.newsroom.markup import Markup, inline, to_html


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("A & B < C", "<p>A &amp; B &lt; C</p>"),
        ("## What *it* costs", "<h2>What <em>it</em> costs</h2>"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
        ("1. **One.** First\n2. Two", "<ol>\n<li><strong>One.</strong> First</li>\n<li>Two</li>\n</ol>"),
        ("> “Yes.”\n> — A. B.", "<blockquote><p>“Yes.”<br>— A. B.</p></blockquote>"),
    ],
)
def test_a_block_becomes_its_element(body: str, html: str) -> None:
    assert to_html(body, Markup()) == (html,)


def test_a_table_has_a_head_and_rows() -> None:
    (table,) = to_html("| Name | Sum |\n|---|---|\n| A | −1 |\n| B | 2 |", Markup())
    assert "<thead><tr><th>Name</th><th>Sum</th></tr>" in table
    assert "<td>A</td><td>−1</td>" in table
    assert table.count("<tr>") == 3


def test_a_site_may_have_paragraphs_and_headings_of_its_own() -> None:
    old = Markup(paragraph='<div class="txt">{}</div>', heading="<b>{}</b>")
    assert to_html("## One\n\nTwo", old) == ("<b>One</b>", '<div class="txt">Two</div>')


def test_a_lone_asterisk_is_a_character() -> None:
    assert inline("2 * 3 * 4") == "2 * 3 * 4"
