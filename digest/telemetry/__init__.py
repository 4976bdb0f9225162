"""What is told to OpenTelemetry and Sentry, where settings name them: how long things take, and faults."""
