"""Rendered by mrml and by npm's mjml 5: how many pixels of the same edition differ in Chromium.

`python -m benchmarks.compilers [--json]`. mrml renders our mails; npm's mjml is what its documentation
speaks of. Where the two differ, a template would not look as its author expects. A pixel differs when any of
its colours does, or when only one of the pages is long enough to have it.
"""

from __future__ import annotations

import argparse
import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

from playwright.sync_api import Page as Tab
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from digest.compose.render import EmailTemplate, compile_template, render_issue
from digest.compose.sandbox import Sandbox
from digest.compose.template_files import Source, TemplateFiles
from digest.domain.issues import IssueContent
from digest.domain.mail import Page
from tests.compose.screens import Scheme, show, with_pictures_only
from tests.samples import TEMPLATES, everything, issue_in, page_of
from tests.servers.browser import ChromiumBrowser
from tests.servers.mail_tools import compile_mjml

FOLDER = TEMPLATES / "digest"
SIZES = (3, 12, 40)
LANGUAGES = ("en", "ar")
WIDTHS = (375, 640)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

MAX_PERCENT = 1.0


@dataclass(frozen=True, slots=True)
class Difference:
    """How many of an edition's pixels differ between the compilers, on one screen."""

    edition: str
    width: int
    scheme: Scheme
    pixels: int
    differing: int

    @property
    def percent(self) -> float:
        """The share of the pixels that differ, 0 to 100."""
        return 100 * self.differing / self.pixels


def compiled_by_mjml(folder: Path) -> EmailTemplate:
    """Return the template in `folder` with its HTML compiled by npm's mjml 5; all else is ours."""
    ours = compile_template(folder)
    html = compile_mjml(TemplateFiles((folder,)).read("body.mjml").text)
    source = "{% block opening %}" + html.replace("{% endblock", "\n{% endblock") + "\n{% endblock %}"
    lines = ((folder / "body.mjml", 1),)
    return replace(ours, html=Sandbox(autoescape=True).compiled(Source(source, lines)))


def differences(tab: Tab, ours: EmailTemplate, theirs: EmailTemplate) -> Iterator[Difference]:
    """Compare every edition on every screen."""
    for size, language in product(SIZES, LANGUAGES):
        content = issue_in(language, size)
        pair = (edition_by(ours, content), edition_by(theirs, content))
        for width, scheme in product(WIDTHS, SCHEMES):
            yield compare(tab, pair, f"{language}-{size}", width, scheme)


def edition_by(template: EmailTemplate, content: IssueContent) -> Page:
    """Return the page of a reader who follows everything."""
    return page_of(render_issue(content, template), everything(content))


def compare(tab: Tab, pair: tuple[Page, Page], name: str, width: int, scheme: Scheme) -> Difference:
    """Photograph both pages of a pair whole, and count the pixels in which they differ."""
    photographs = [
        b64encode(show(tab, page, width=width, scheme=scheme).screenshot(full_page=True)).decode()
        for page in pair
    ]
    pixels, differing = tab.evaluate(_COUNT, photographs)
    return Difference(name, width, scheme, pixels, differing)


# In the browser, since it is there and reads PNG: nothing else here does.
_COUNT = """async (photographs) => {
  const bitmaps = await Promise.all(photographs.map((base64) =>
    createImageBitmap(new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))]))));
  const width = Math.max(...bitmaps.map((bitmap) => bitmap.width));
  const height = Math.max(...bitmaps.map((bitmap) => bitmap.height));
  const [ours, theirs] = bitmaps.map((bitmap) => {
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  });
  return [ours.length, ours.reduce((sum, pixel, at) => sum + (pixel !== theirs[at]), 0)];
}"""


def measure() -> list[Difference]:
    """Return the difference of every edition on every screen."""
    ours, theirs = compile_template(FOLDER), compiled_by_mjml(FOLDER)
    chromium = ChromiumBrowser()
    try:
        with chromium.page() as tab:
            tab.route("**/*", with_pictures_only)
            return list(differences(tab, ours, theirs))
    finally:
        chromium.stop()


def main() -> None:
    """Print the table, or with `--json` every comparison and the largest share that differs, in percent."""
    parser = argparse.ArgumentParser(description="Pixels that differ between mrml and npm's mjml 5.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = parser.parse_args().json
    found = measure()
    largest = max(difference.percent for difference in found)
    if as_json:
        print(json.dumps({"largest_percent": largest, "screens": [asdict(one) for one in found]}, indent=2))
    else:
        _print(found)
    if largest >= MAX_PERCENT:
        raise SystemExit(f"{largest:.2f}% of the pixels differ, where less than {MAX_PERCENT}% should")


def _print(found: list[Difference]) -> None:
    table = Table("edition", "px wide", "colours", box=SIMPLE)
    for heading in ("pixels", "differing", "%"):
        table.add_column(heading, justify="right")
    for one in found:
        row = (one.edition, str(one.width), one.scheme)
        table.add_row(*row, f"{one.pixels:,}", f"{one.differing:,}", f"{one.percent:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
