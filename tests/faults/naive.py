"""Two senders as they are often written, to show that the harness would see a fault.

`send-then-mark` marks a delivery after the server has accepted it: killed between the two, it sends again.
`mark-then-send` marks it before: killed between the two, it never sends.

    python -m tests.faults.naive ORDER DATABASE_URL SMTP_PORT
"""

from __future__ import annotations

import smtplib
import sys

from sqlalchemy import Engine, select, update

from digest.domain.deliveries import DeliveryState
from digest.store.database import open_engine, reading, writing
from digest.store.deliveries import DeliveryRow


def main(order: str, database_url: str, port: int) -> None:
    """Send every pending delivery, one after the other."""
    engine = open_engine(database_url)
    with reading(engine) as session:
        pending = session.execute(
            select(DeliveryRow.id, DeliveryRow.email, DeliveryRow.message_id)
            .where(DeliveryRow.state == DeliveryState.PENDING)
            .order_by(DeliveryRow.id)
        ).all()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for delivery_id, email, message_id in pending:
            if order == "mark-then-send":
                _mark(engine, delivery_id)
            server.sendmail("naive@example.org", [email], f"Message-ID: {message_id}\r\n\r\nHello.\r\n")
            if order == "send-then-mark":
                _mark(engine, delivery_id)


def _mark(engine: Engine, delivery_id: int) -> None:
    with writing(engine) as session:
        session.execute(
            update(DeliveryRow).where(DeliveryRow.id == delivery_id).values(state=DeliveryState.ACCEPTED)
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
