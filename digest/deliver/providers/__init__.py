"""Mail over the HTTP APIs of Amazon SES, Postmark, Mailgun and SendGrid."""

from digest.deliver.providers.opening import open_provider
from digest.deliver.providers.transport import HttpTransport

__all__ = ["HttpTransport", "open_provider"]
