"""How this service logs: lines on standard error."""

import logging
import logging.config


def set_up_logging(level: str) -> None:
    """Send everything from `level` on to standard error, uvicorn's lines and ours in one form."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level.upper()},
            "loggers": {
                "alembic": {"level": "WARNING"},
                # A handler of our own keeps the engine from adding one.
                "dbos": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
            },
        },
    )
