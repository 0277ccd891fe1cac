"""The media types of requests and responses."""

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
ARROW = "application/vnd.apache.arrow.stream"
PNG, SVG = "image/png", "image/svg+xml"
HTML = "text/html"
MULTIPART = "multipart/form-data"
EVENT_STREAM = "text/event-stream"
PROBLEM = "application/problem+json"  # RFC 9457
CONTENT_TYPES = {
    **{media_type: media_type for media_type in (JSON, NDJSON, ARROW, PNG, SVG)},
    CSV: f"{CSV}; charset=utf-8",
}
"""The value of the header `Content-Type`, by media type."""
