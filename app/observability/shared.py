"""Where the processes of one service add their figures up; known before the metrics are made."""

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the folder, if there are several processes."""
