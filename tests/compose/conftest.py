from collections.abc import Mapping

import pytest

from digest.compose.render import EmailTemplate, compile_template, render_issue
from digest.domain.mail import Page, RenderedIssue
from tests.samples import TEMPLATES, everything, page_of, sample_issue


@pytest.fixture(scope="session")
def template() -> EmailTemplate:
    return compile_template(TEMPLATES / "digest")


@pytest.fixture(scope="session")
def rendered(template: EmailTemplate) -> RenderedIssue:
    return render_issue(sample_issue(), template)


@pytest.fixture(scope="session")
def page(rendered: RenderedIssue) -> Page:
    return page_of(rendered, everything(sample_issue()))


@pytest.fixture
def template_files() -> Mapping[str, str]:
    """The files of the real template and its parts, for a test to spoil one of them."""
    own = {path.name: path for path in (TEMPLATES / "digest").iterdir()}
    parts = {f"parts/{path.name}": path for path in (TEMPLATES / "parts").iterdir()}
    return {name: path.read_text(encoding="utf-8") for name, path in {**own, **parts}.items()}
