"""Call a Gatecast service from Python."""

from app.client.client import Client, JobFailed, ServiceError

__all__ = ["Client", "JobFailed", "ServiceError"]
