import json

import pytest

from foedus import cli
from foedus.ensemble.catalogue import prune, show
from foedus.ensemble.store import locked
from foedus.errors import InputError, StoreError

pytestmark = pytest.mark.usefixtures("fake")


@pytest.fixture
def shelf(stored, tmp_path):
    """A sound store, one with missing runs, a damaged one, an unreadable one, a foreign one."""
    for name in ("sound", "missing", "damaged", "unreadable", "old"):
        stored(f"{name}.zarr", runs=20, batch=10)
    (tmp_path / "missing.zarr" / "checksum" / "c.1").unlink()
    (tmp_path / "damaged.zarr" / "crowd" / "c.1.0.0").unlink()
    (tmp_path / "unreadable.zarr" / "zarr.json").write_text("{")
    file = tmp_path / "old.zarr" / "zarr.json"
    about = json.loads(file.read_text())
    about["attributes"]["created"] = "2020-01-01T00:00:00+00:00"
    file.write_text(json.dumps(about))
    (tmp_path / "other.zarr").mkdir()
    (tmp_path / "other.zarr" / "zarr.json").write_text("{")
    (tmp_path / ".x.zarr.7.partial" / "checksum").mkdir(parents=True)
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


CHOICES = [
    ({"unfinished": True}, {".x.zarr.7.partial", "missing.zarr"}),
    ({"damaged": True}, {"damaged.zarr", "unreadable.zarr"}),
    ({"older_than": 30}, {"old.zarr"}),
    ({"older_than": 0}, {"sound.zarr", "missing.zarr", "damaged.zarr", "old.zarr"}),
]


@pytest.mark.parametrize(("choice", "names"), CHOICES)
def test_only_what_was_described_goes_and_only_when_told(shelf, choice, names):
    before = {p.name for p in shelf.iterdir()}
    found = prune(shelf, **choice)
    assert {u.path.name for u in found} == names
    assert all(u.reason for u in found)
    assert {p.name for p in shelf.iterdir()} == before
    prune(shelf, **choice, delete=True)
    assert {p.name for p in shelf.iterdir()} == before - names


def test_a_store_in_use_is_kept(shelf):
    with locked(shelf / "missing.zarr"), pytest.raises(StoreError, match="in use by"):
        prune(shelf, unfinished=True, delete=True)
    assert (shelf / "missing.zarr" / "zarr.json").exists()


def test_it_must_be_told_what_is_to_go(shelf):
    with pytest.raises(InputError, match="--unfinished"):
        prune(shelf, delete=True)


def test_the_command_line(shelf, capsys):
    assert cli.main(["runs", "prune", str(shelf)]) == 2
    assert cli.main(["runs", "prune", str(shelf), "--damaged"]) == 0
    said = capsys.readouterr().out
    assert "1 of 2 batches are damaged" in said
    assert "nothing deleted" in said
    assert cli.main(["runs", "prune", str(shelf), "--damaged", "--delete"]) == 0
    assert "2 stores" in capsys.readouterr().out
    assert not (shelf / "damaged.zarr").exists()
    assert cli.main(["runs", "prune", str(shelf), "--damaged"]) == 0
    assert capsys.readouterr().out == "nothing to prune\n"


def test_show_has_the_command_and_the_versions(shelf, capsys):
    info = show(shelf / "sound.zarr")
    assert info.versions["code"] == "fixed"
    assert cli.main(["runs", "show", str(info.path)]) == 0
    said = capsys.readouterr().out
    assert f"foedus run small --runs 20 --seed 3 --out {info.path}" in said
    for name, number in info.versions.items():
        assert f"{name} {number}" in said
    assert "bytes a run" in said


@pytest.mark.parametrize(("kind", "name"), [("csv", "sound-csv"), ("netcdf", "sound.nc")])
def test_export_from_the_command_line(shelf, kind, name, capsys):
    assert cli.main(["runs", "export", str(shelf / "sound.zarr"), "--to", kind]) == 0
    assert capsys.readouterr().out.strip() == str(shelf / name)
    assert (shelf / name).exists()
    assert cli.main(["runs", "export", str(shelf / "sound.zarr"), "--to", kind]) == 2
    assert cli.main(["runs", "export", str(shelf / "sound.zarr"), "--to", "xls"]) == 2
