"""Style sheets and scripts: collected when a server starts, each under a name with its hash, which a browser keeps."""

import re

import pytest
from django.test import Client

from provender.cli.serving import collect_static

pytestmark = pytest.mark.django_db


@pytest.fixture
def collected(settings, tmp_path):
    """The folder of a server that has started."""
    settings.STATIC_ROOT = tmp_path / "static"
    backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": backend}}
    collect_static()
    return settings.STATIC_ROOT


def test_a_page_names_files_that_are_kept_for_ever(collected):
    browser = Client(headers={"accept-encoding": "gzip"})
    page = browser.get("/account/login/")
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(addresses) > 3
    for address in addresses:
        assert re.search(r"\.[0-9a-f]{12}\.(css|js|svg)$", address)
        answer = browser.get(address)
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        assert b"".join(answer.streaming_content)


def test_a_second_start_collects_nothing(collected):
    before = {path: path.stat().st_mtime_ns for path in collected.rglob("*")}
    collect_static()
    assert {path: path.stat().st_mtime_ns for path in collected.rglob("*")} == before


def test_after_an_update_or_a_lost_folder_they_are_collected_again(collected):
    (collected / "staticfiles.json").unlink()
    collect_static()
    assert (collected / "staticfiles.json").exists()
    mark = collected.with_suffix(".collected")
    mark.write_text("an older version")
    collect_static()
    assert "desk/app.css" in mark.read_text()
