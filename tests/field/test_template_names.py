"""A leaderboard's names find the test pictures, by whatever is unique among what is predicted, never a wrong one."""

import json

import numpy as np
import pandas as pd
import pytest

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.tables.beside import with_pictures
from kfashion_utils.tables.catalog import unique_ids
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.tables.predictions import average_photos, prediction_table, with_failures, with_provenance

NAMES = [f"c{number}" for number in range(6)]
TASK = Task("label", (Head("label", tuple(NAMES)),))


def predicted(paths, ids=None, photos=None, known=True, extra=()):
    """Predictions of pictures at these paths, the first answered `c0`, the next `c1` …; ids as a catalog of `paths` and
    `extra` has them, which are not predicted."""
    stems = [path.rpartition("/")[2].rpartition(".")[0] for path in (*paths, *extra)]
    ids = ids or unique_ids(stems, [*paths, *extra])
    rows = pd.DataFrame({"id": ids, "path": [*paths, *extra], "photo": photos or ids}, dtype=object)
    chosen = rows[: len(paths)].reset_index(drop=True)
    table = prediction_table(TASK, chosen, np.eye(len(NAMES))[: len(paths)] * 0.5 + 0.5 / len(NAMES))
    return with_pictures(table, chosen) if known else table


def written(table, names, tmp_path, **options):
    template = tmp_path / "template.csv"
    pd.DataFrame({"filename": names, "label": "c5"}).to_csv(template, index=False)
    result = kf.write_submission(table, template, tmp_path / "out.csv", **options)
    assert result["filename"].tolist() == list(names)
    return result["label"].tolist()


HASHED = ["train/a/0.jpg", "train/b/0.jpg", "train/a/1.jpg"]


@pytest.mark.parametrize("known", [True, False], ids=["paths known", "an old table"])
@pytest.mark.parametrize(
    "spelled",
    ["0.jpg", "0", "test/0.jpg", "test\\0.jpg", "./test/0.jpg", "images/0.png", "data/test/0.jpg", " 0.JPG ", "0.0"],
)
def test_a_test_picture_whose_id_got_a_hash_is_found(spelled, known, tmp_path):
    table = predicted(["test/0.jpg", "test/1.jpg"], extra=HASHED, known=known)
    assert table["id"].str.match(r"\d-[0-9a-f]{8}$").all()
    names = [spelled.replace("0", "1", 1), spelled] if spelled != "0.0" else ["1.0", "0.0"]
    assert written(table, names, tmp_path) == ["c1", "c0"]


def test_ids_go_before_all_else(tmp_path):
    table = predicted(["test/0.jpg", "test/1.jpg"], extra=HASHED)
    assert written(table, table["id"][::-1] + ".jpg", tmp_path) == ["c1", "c0"]
    swapped = predicted(["x/0.jpg", "x/1.jpg"], ids=["1", "0"])  # running numbers that are other files' names
    assert written(swapped, ["0", "1"], tmp_path) == ["c1", "c0"]
    assert written(swapped, ["0.jpg", "1.jpg"], tmp_path) == ["c0", "c1"]  # but a file name is a file's


@pytest.mark.parametrize("archive", ["", "data.zip::", "부분/data.zip::"])
def test_a_part_of_the_path_is_enough_where_names_repeat(archive, tmp_path):
    paths = [f"{archive}test/{folder}/{number}.jpg" for folder in "ab" for number in (0, 1)]
    table = predicted(paths)
    assert written(table, ["b/1.jpg", "b/0.jpg", "a/0.jpg", "a/1.jpg"], tmp_path) == ["c3", "c2", "c0", "c1"]
    assert written(table, ["test/b/1", "x/b/0.jpg", "a\\0.JPG", "a/1"], tmp_path) == ["c3", "c2", "c0", "c1"]
    with pytest.raises(InputError) as caught:
        written(table, ["0.jpg", "b/1.jpg", "b/0.jpg", "a/1.jpg"], tmp_path)
    for text in ("'0.jpg' may mean several pictures", paths[0], paths[2], "id 0-"):
        assert text in str(caught.value)


def test_without_paths_the_hash_of_a_whole_path_tells_and_a_guess_is_refused(tmp_path):
    paths = ["test/a/0.jpg", "test/b/0.jpg"]
    table = predicted(paths, known=False)
    assert written(table, paths[::-1], tmp_path) == ["c1", "c0"]
    with pytest.raises(InputError, match="'0.jpg' may mean several pictures.*predict again"):
        written(table, ["0.jpg", "test/a/0.jpg"], tmp_path)


def test_files_that_differ_in_their_extension_are_told_by_it(tmp_path):
    table = predicted(["test/0.jpg", "test/0.png", "test/1.JPG"])
    assert written(table, ["0.png", "1.jpg", "0.JPG"], tmp_path) == ["c1", "c2", "c0"]
    with pytest.raises(InputError, match="'0' may mean several pictures"):
        written(table, ["0", "1.jpg", "0.png"], tmp_path)


def test_an_id_that_looks_like_one_with_a_hash_is_its_own(tmp_path):
    table = predicted(["a/IMG-20240101.jpg", "a/IMG-20240102.jpg"])
    assert written(table, ["IMG-20240102.jpg", "IMG-20240101.jpg"], tmp_path) == ["c1", "c0"]
    one = predicted(["a/IMG-20240101.jpg"])
    with pytest.raises(InputError, match="no column of the template holds ids"):
        written(one, ["IMG.jpg"], tmp_path)


@pytest.mark.parametrize("decomposed", [False, True])
def test_normal_forms_case_and_signs(decomposed, tmp_path):
    import unicodedata

    form = "NFD" if decomposed else "NFC"
    paths = [unicodedata.normalize(form, text) for text in ("시험/모자.jpg", "시험/b/모자.jpg", "시험/IMG 1+2.JPG")]
    table = predicted(paths)
    names = [unicodedata.normalize("NFC" if decomposed else "NFD", "b/모자.jpg"), "시험/모자.JPG", "img 1+2.jpg"]
    assert written(table, names, tmp_path) == ["c1", "c0", "c2"]


def test_leading_zeros_are_kept_and_floats_of_pandas_are_integers(tmp_path):
    table = predicted(["x/001.jpg", "x/1.jpg"])
    assert written(table, ["1.jpg", "001.jpg"], tmp_path) == ["c1", "c0"]
    assert written(table, ["1.0", "001"], tmp_path) == ["c1", "c0"]
    floats = predicted(["x/1.jpg", "x/2.jpg"], ids=["1.0", "2.0"], known=False)
    assert written(floats, ["2.jpg", "1"], tmp_path) == ["c1", "c0"]
    with pytest.raises(InputError, match="no column of the template"):
        written(predicted(["x/001.jpg"]), ["1.jpg"], tmp_path)


@pytest.mark.parametrize("kind", [int, float])
def test_ids_that_are_numbers_in_a_table_made_by_hand(kind, tmp_path):
    table = predicted(["x/1.jpg", "x/2.jpg"], known=False)
    table = table.assign(id=table["id"].astype(kind), photo=table["photo"].astype(kind))
    assert written(table, ["2.jpg", "1.jpg"], tmp_path) == ["c1", "c0"]


def test_an_id_whose_path_says_otherwise_is_found_by_both(tmp_path):
    table = predicted(["kf/1002314.jpg", "kf/1002315.jpg"], ids=["look-a", "look-b"])
    assert written(table, ["1002315.jpg", "look-a.jpg"], tmp_path) == ["c1", "c0"]


def test_a_label_column_of_zeros_is_not_taken_for_the_picture_0(tmp_path):
    table = predicted(["test/0.jpg", "test/1.jpg", "test/2.jpg"])
    (tmp_path / "t.csv").write_text("id,answer\n2,0\n0,0\n1,0\n")
    result = kf.write_submission(table, tmp_path / "t.csv", tmp_path / "out.csv")
    assert result["id"].tolist() == ["2", "0", "1"] and result["answer"].tolist() == ["2", "0", "1"]


def test_empty_rows_of_a_spreadsheet_are_left_out_and_told(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("id,label\n1.jpg,c0\n0.jpg,c0\n,\n , \n")
    result = kf.write_submission(predicted(["test/0.jpg", "test/1.jpg"]), tmp_path / "t.csv", tmp_path / "out.csv")
    assert result["label"].tolist() == ["c1", "c0"] and "left out: 2" in capsys.readouterr().out


# The way through files, votes and means -------------------------------------------------------------------------------


def test_paths_travel_through_writing_reading_voting_and_tempering_and_stay_small(tmp_path):
    paths = ["test/a/0.jpg", "test/b/0.jpg", "test/a/7.jpg"]
    facts = {"runs": [{"run": "r"}], "by_row": []}
    table = with_provenance(predicted(paths), facts)
    kf.write_predictions(table, tmp_path / "p.csv")
    told = json.loads((tmp_path / "p.provenance.json").read_text(encoding="utf-8"))
    assert sorted(told["pictures"].values()) == paths[:2]  # the third id is the stem of its path
    again = kf.read_predictions(tmp_path / "p.csv")
    assert again.attrs["provenance"] == facts
    votes = [kf.ensemble([table, again]), kf.ensemble([predicted(paths, known=False), again])]
    for one in (again, *votes, kf.temper(again, {"label": 2.0}), again[::-1]):
        assert written(one, ["b/0.jpg", "7.jpg", "a/0.jpg"], tmp_path) == ["c1", "c2", "c0"]


def test_garments_and_views_of_a_photo_are_found_by_its_file(tmp_path):
    paths = ["test/0.jpg"] * 2 + ["test/1.jpg"]
    photos = [*unique_ids(["0", "0"], ["test/0.jpg", "train/0.jpg"])[:1] * 2, "1"]
    table = predicted(paths, ids=[f"{photos[0]}-top", f"{photos[0]}-bottom", "1-dress"], photos=photos)
    assert average_photos(table).attrs["pictures"] is not None
    assert written(table, ["1.jpg", "0.jpg"], tmp_path)[0] == "c2"
    by_row = with_provenance(table, {"runs": [], "by_row": ["label"]})
    rows = [f"{photos[0]}-bottom", "1-dress", f"{photos[0]}-top"]
    assert written(by_row, rows, tmp_path) == ["c1", "c2", "c0"]
    assert written(by_row, ["0-bottom", "1.jpg", "0-top"], tmp_path) == ["c1", "c2", "c0"]
    with pytest.raises(InputError, match="'0.jpg' is a photo whose rows are answered one by one"):
        written(by_row, ["0.jpg", "1.jpg"], tmp_path)


def test_a_picture_that_was_not_predicted_is_not_taken_for_one_of_its_name(tmp_path):
    table = predicted(["test/a/0.jpg"], extra=["test/b/0.jpg"])
    with pytest.raises(InputError, match=r"'b/0.jpg' stands in the template more than once \(as 'a/0.jpg'\)"):
        written(table, ["a/0.jpg", "b/0.jpg"], tmp_path)
    broken = pd.DataFrame({"id": ["x"], "path": ["test/b/0.jpg"], "reason": ["broken"], "detail": ["cut"]})
    with pytest.raises(InputError, match=r"'b/0.jpg' could not be read: broken \(cut\)"):
        written(with_failures(table, broken), ["a/0.jpg", "b/0.jpg"], tmp_path)


def test_an_old_provenance_without_paths_is_read(tmp_path):
    table = with_provenance(predicted(["test/0.jpg"], extra=HASHED, known=False), {"runs": [], "by_row": []})
    kf.write_predictions(table, tmp_path / "p.csv")
    assert "pictures" not in json.loads((tmp_path / "p.provenance.json").read_text(encoding="utf-8"))
    assert written(kf.read_predictions(tmp_path / "p.csv"), ["0.jpg"], tmp_path) == ["c0"]
