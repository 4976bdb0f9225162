"""An issue and its subscribers to deliveries: who gets what, who gets nothing, and why."""
