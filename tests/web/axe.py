"""What axe-core finds wrong with a page, for those who do not see it or cannot use a pointer."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.servers.mail_tools import PACKAGES

CONTRAST = "color-contrast"
"""The rule that colours alone decide: the one to ask for when a page is only dark instead of light."""

_FAULTS = """async (rules) => {
  // Of what passes nothing is asked, and nobody needs a selector: a quarter of its time.
  const options = { resultTypes: ["violations"], selectors: false, ...(rules.length && { runOnly: rules }) };
  const { violations } = await axe.run(document, options);
  return violations.map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' | '));
}"""


def faults(page: Page, *rules: str) -> list[str]:
    """What axe finds wrong with the page by all its rules, or by these alone."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(f"() => {{ {(PACKAGES / 'axe-core' / 'axe.min.js').read_text('utf-8')} }}")
    found: list[str] = page.evaluate(_FAULTS, list(rules))
    return found
