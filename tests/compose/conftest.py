from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import Page as Tab

from digest.compose.render import EmailTemplate, compile_template, render_issue
from digest.domain.mail import Page, RenderedIssue
from tests.compose.editions import MadeEdition, make_editions
from tests.compose.screens import with_pictures_only
from tests.samples import TEMPLATES, everything, page_of, sample_issue
from tests.servers.browser import ChromiumBrowser


@pytest.fixture(scope="session")
def template() -> EmailTemplate:
    return compile_template(TEMPLATES / "digest")


@pytest.fixture(scope="session")
def rendered(template: EmailTemplate) -> RenderedIssue:
    return render_issue(sample_issue(), template)


@pytest.fixture(scope="session")
def page(rendered: RenderedIssue) -> Page:
    return page_of(rendered, everything(sample_issue()))


@pytest.fixture(scope="session")
def made_editions(template: EmailTemplate) -> Mapping[str, MadeEdition]:
    return make_editions(template)


@pytest.fixture(scope="session")
def editions(made_editions: Mapping[str, MadeEdition]) -> Mapping[str, Page]:
    """The pages of every edition by its name, such as `en-40` or `ar-3-bare`."""
    return {name: made.page for name, made in made_editions.items()}


@pytest.fixture(scope="module")
def chromium(browser: ChromiumBrowser) -> Iterator[Tab]:
    """One tab for all pages of a module: a new one for each took most of the time."""
    with browser.page() as tab:
        tab.route("**/*", with_pictures_only)
        yield tab


@pytest.fixture
def template_files() -> Mapping[str, str]:
    """The files of the real template and its parts, for a test to spoil one of them."""
    own = {path.name: path for path in (TEMPLATES / "digest").iterdir()}
    parts = {f"parts/{path.name}": path for path in (TEMPLATES / "parts").iterdir()}
    return {name: path.read_text(encoding="utf-8") for name, path in {**own, **parts}.items()}
