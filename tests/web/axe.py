"""What axe-core finds wrong with a page, for those who do not see it or cannot use a pointer."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.servers.mail_tools import PACKAGES

_FAULTS = """async () => {
  const { violations } = await axe.run(document);
  return violations.map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' | '));
}"""


def faults(page: Page) -> list[str]:
    """What axe finds wrong with the page."""
    page.evaluate(f"() => {{ {(PACKAGES / 'axe-core' / 'axe.min.js').read_text('utf-8')} }}")
    found: list[str] = page.evaluate(_FAULTS)
    return found
