"""The media types of requests and responses."""

from typing import Literal

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
CSV_EXCEL = f"{CSV}; dialect=excel"  # for spreadsheets that write a decimal comma; no `Accept` names it
ARROW, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PNG, SVG = "image/png", "image/svg+xml"
ZIP = "application/zip"
HTML = "text/html"
MULTIPART = "multipart/form-data"
EVENT_STREAM = "text/event-stream"
PROBLEM = "application/problem+json"  # RFC 9457
CONTENT_TYPES = {
    **{media_type: media_type for media_type in (JSON, NDJSON, ARROW, PARQUET, XLSX, PNG, SVG, ZIP)},
    **dict.fromkeys((CSV, CSV_EXCEL), f"{CSV}; charset=utf-8"),
}
"""The value of the header `Content-Type`, by media type."""

TableFormat = Literal["json", "csv", "csv_excel", "ndjson", "arrow", "parquet", "xlsx"]
ForecastFormat = Literal["json", "csv", "csv_excel", "ndjson", "arrow", "parquet", "xlsx", "png", "svg"]
FORMATS = {
    "json": JSON,
    "csv": CSV,
    "csv_excel": CSV_EXCEL,
    "ndjson": NDJSON,
    "arrow": ARROW,
    "parquet": PARQUET,
    "xlsx": XLSX,
    "png": PNG,
    "svg": SVG,
}
"""The media type of each value of the parameter `format`."""
TABLES = (CSV, NDJSON, ARROW, PARQUET, XLSX)
"""The media types of tables that `Accept` names."""
ENDINGS = {media_type: name for name, media_type in FORMATS.items()} | {CSV_EXCEL: "csv", ZIP: "zip"}
"""How the name of a file of this media type ends."""


def file_headers(stem: str, media_type: str) -> dict[str, str]:
    """Return the headers that let a browser save a table or a zip under this name; none for the others."""
    if media_type not in (*TABLES, CSV_EXCEL, ZIP):
        return {}
    return {"content-disposition": f'attachment; filename="{stem}.{ENDINGS[media_type]}"'}
