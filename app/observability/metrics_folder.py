"""Name the folder in which several processes of one service share their metrics.

A module of its own, since the variable must be set before `prometheus_client` makes the first metric.
"""

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable with the folder's path; unset for a single process."""
