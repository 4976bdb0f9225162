"""What is wrong with a mail before anyone is sent it, as data: with one page, or an issue's editions."""

from digest.compose.checks.findings import Finding, Severity
from digest.compose.checks.page import DIGEST_OWES, HTML_MAX_BYTES, check_page

__all__ = ["DIGEST_OWES", "HTML_MAX_BYTES", "Finding", "Severity", "check_page"]
