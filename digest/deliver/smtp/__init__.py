"""Mail over SMTP (RFC 5321), pipelined (RFC 2920), with the final dot in our own hands."""

from digest.deliver.smtp.limits import Limits
from digest.deliver.smtp.server import SmtpServer
from digest.deliver.smtp.transport import SmtpTransport

__all__ = ["Limits", "SmtpServer", "SmtpTransport"]
