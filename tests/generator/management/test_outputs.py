import os
from argparse import ArgumentTypeError

import pytest

from generator.management.outputs import output_file, output_folder


def test_what_is_there_and_what_can_be_made_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.mid").touch()
    for text in (".", "new", "new/deep", f"{tmp_path}"):
        assert str(output_folder(text)) == text
    for text in ("old.mid", "new.mid", "new/deep/night.mid"):
        assert str(output_file(text)) == text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.mid"]


def test_a_file_on_the_way_is_named(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ArgumentTypeError, match=f"got {file}, which is a file. Name another"):
        output_folder(str(file))
    with pytest.raises(ArgumentTypeError, match=f"got {file}/new, but {file} is a file. Name"):
        output_folder(f"{file}/new")
    with pytest.raises(ArgumentTypeError, match=f"night.mid, but {file} is a file. Name"):
        output_file(f"{file}/night.mid")


def test_a_link_that_leads_nowhere_is_no_folder(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    with pytest.raises(ArgumentTypeError, match="which is a file"):
        output_folder(str(link))


def test_a_folder_that_is_closed_to_us_is_named(tmp_path):
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("nothing is closed to the user who runs this test")
    with pytest.raises(ArgumentTypeError, match=f"and {tmp_path} cannot be written. Name another"):
        output_folder(f"{tmp_path}/new")
