"""`digest doctor`: everything Digest stands on, looked at."""

from digest.deliver.smtp.server import is_loopback
from digest.doctor.checks import Check
from digest.doctor.examination import examine, examine_senders

__all__ = ["Check", "examine", "examine_senders", "is_loopback"]
