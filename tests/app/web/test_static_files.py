"""The files of the page lie under a name made of what is in them, and are kept for good."""

import gzip

from fastapi.testclient import TestClient

from app.web import static_files


def test_file_is_kept_for_good_and_sent_compressed(client: TestClient) -> None:
    answer = client.get(f"{static_files.folder()}/uplot.js", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert gzip.decompress(static_files.find("uplot.js").packed) == answer.content


def test_file_is_sent_plain_to_callers_that_accept_no_gzip(client: TestClient) -> None:
    answer = client.get(f"{static_files.folder()}/page.css", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.content == static_files.find("page.css").plain


def test_file_of_another_release_is_not_kept(client: TestClient) -> None:
    answer = client.get("/ui/static/0123456789abcdef/page.css")
    assert answer.headers["cache-control"] == "no-cache"


def test_file_that_is_not_there_is_not_found(client: TestClient) -> None:
    assert client.get(f"{static_files.folder()}/../view.py").status_code == 404
    assert client.get(f"{static_files.folder()}/view.py").status_code == 404
