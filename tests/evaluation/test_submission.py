import numpy as np
import pandas as pd
import pytest

import kfashion_utils as kf
from kfashion_utils.errors import InputError

IDS = ["100", "101", "102"]
CLASSES = ["레트로", "로맨틱", "리조트"]


@pytest.fixture
def predictions():
    scores = np.array([[0.1, 0.8, 0.1], [0.9, 0.05, 0.05], [0.2, 0.2, 0.6]])
    table = pd.DataFrame({"id": IDS, "photo": IDS, "style": ["로맨틱", "레트로", "리조트"]}, dtype=object)
    return pd.concat([table, pd.DataFrame(scores, columns=[f"style:{name}" for name in CLASSES])], axis=1)


def submit(predictions, template, tmp_path, encoding="utf-8", **options):
    (tmp_path / "template.csv").write_bytes(template.encode(encoding))
    kf.write_submission(predictions, tmp_path / "template.csv", tmp_path / "out.csv", **options)
    return (tmp_path / "out.csv").read_bytes().decode(encoding)


def test_columns_order_and_id_form_are_the_templates(predictions, tmp_path):
    text = submit(predictions, "no,filename,style\n1,102.jpg,0\n2,100.jpg,0\n3,101.jpg,0\n", tmp_path)
    assert text == "no,filename,style\n1,102.jpg,2\n2,100.jpg,1\n3,101.jpg,0\n"


@pytest.mark.parametrize(
    ("label", "written"), [("0", "1"), ("레트로", "로맨틱"), ("retro", "romantic")], ids=["index", "name", "english"]
)
def test_label_form_is_the_templates(predictions, tmp_path, label, written):
    text = submit(predictions, "id,answer\n" + "".join(f"{name},{label}\n" for name in IDS), tmp_path)
    assert text.splitlines()[1] == f"100,{written}"


def test_an_empty_label_column_must_be_told(predictions, tmp_path):
    template = "id,style\n100,\n101,\n102,\n"
    with pytest.raises(InputError, match="labels=index, name or english"):
        submit(predictions, template, tmp_path)
    assert submit(predictions, template, tmp_path, labels="name").splitlines()[1] == "100,로맨틱"


def test_encoding_and_line_ends_are_the_templates(predictions, tmp_path):
    template = "파일,스타일\r\n100,레트로\r\n101,레트로\r\n102,레트로\r\n"
    assert (
        submit(predictions, template, tmp_path, "cp949") == "파일,스타일\r\n100,로맨틱\r\n101,레트로\r\n102,리조트\r\n"
    )
    assert submit(predictions, template, tmp_path, "utf-8-sig").startswith("파일")
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_every_problem_is_named_and_nothing_is_written(predictions, tmp_path):
    predictions.loc[1, "style:레트로"] = np.nan
    predictions.loc[2, "style"] = "모자"
    with pytest.raises(InputError) as caught:
        submit(predictions, "id,style\n100,0\n100.jpg,0\n101,0\nstranger,0\n", tmp_path)
    for text in (
        "'stranger' is in the template",
        "'100.jpg' stands in the template",
        "'102' is in the predictions",
        "'101': a probability",
        "'102': ['모자'] is no class",
    ):
        assert text in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


def test_doubled_predictions_are_refused(predictions, tmp_path):
    doubled = pd.concat([predictions, predictions[:1].assign(photo="other")])
    with pytest.raises(InputError, match="'100' stands in the predictions more than once"):
        submit(doubled, "id,style\n100,0\n101,0\n102,0\n", tmp_path)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("id,style\n1,0\n", "no column of the template holds ids"),
        ("id\n100\n", "has 1 columns"),
        ("id,style\n", "0 rows"),
        ("id,style\n100,23\n101,0\n102,0\n", r"holds \[23\], but 'style' has the classes 0..2"),
        ("id,style\n100,hat\n101,0\n102,0\n", r"holds \['0', 'hat'\]"),
        ("id,a,b\n100,0,0\n101,0,0\n102,0,0\n", "do not name the heads"),
    ],
)
def test_templates_that_do_not_fit_are_refused(predictions, tmp_path, template, message):
    with pytest.raises(InputError, match=message):
        submit(predictions, template, tmp_path)


def test_several_heads_go_to_the_columns_of_their_names(tmp_path):
    table = pd.DataFrame(
        {
            "id": ["a/b c", "d"],
            "photo": ["a/b c", "d"],
            "Daily": ["x", "y"],
            "Gender": ["m", "m"],
            "Daily:x": [0.7, 0.1],
            "Daily:y": [0.3, 0.9],
            "Gender:m": [0.8, 0.6],
            "Gender:w": [0.2, 0.4],
        }
    )
    template = "image_name,BBox_xmin,Daily,Gender\nd.jpg,4,0,0\na/b c.jpg,5,0,0\n"
    assert submit(table, template, tmp_path) == "image_name,BBox_xmin,Daily,Gender\nd.jpg,4,1,0\na/b c.jpg,5,0,0\n"


def test_an_index_column_of_numbers_is_not_taken_for_the_ids(tmp_path):
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    table = pd.DataFrame(
        {
            "id": list("123"),
            "photo": list("123"),
            "label": ["a", "b", "a"],
            "label:a": scores[:, 0],
            "label:b": scores[:, 1],
        }
    )
    text = submit(table, "no,filename,label\n1,2.jpg,0\n2,3.jpg,0\n3,1.jpg,0\n", tmp_path)
    assert text == "no,filename,label\n1,2.jpg,1\n2,3.jpg,0\n3,1.jpg,0\n"
    with pytest.raises(InputError, match="could each be the ids"):
        submit(table, "no,filename,label\n1,2,0\n2,3,0\n3,1,0\n", tmp_path)


def test_a_header_is_copied_to_the_letter(predictions, tmp_path):
    assert submit(predictions, ",id,style\n0,100,0\n1,101,0\n2,102,0\n", tmp_path).splitlines()[0] == ",id,style"
    with pytest.raises(InputError, match="names a column twice"):
        submit(predictions, "id,style,style\n100,0,0\n", tmp_path)


def test_ids_are_found_by_photo_safe_name_and_normal_form(predictions, tmp_path):
    renamed = predictions.assign(id=["a_b", "가", "102-top"], photo=["a_b", "가", "102"])
    text = submit(renamed, "id,style\na+b.jpg,0\n가.jpg,0\n102.jpg,0\n", tmp_path)
    assert [line.rpartition(",")[2] for line in text.splitlines()[1:]] == ["1", "0", "2"]


def test_classes_that_are_numbers_need_the_form_told(tmp_path):
    table = pd.DataFrame(
        {"id": ["x", "y"], "photo": ["x", "y"], "label": ["1", "3"], "label:1": [0.9, 0.2], "label:3": [0.1, 0.8]}
    )
    with pytest.raises(InputError, match="are numbers themselves"):
        submit(table, "id,label\nx,0\ny,0\n", tmp_path)
    assert submit(table, "id,label\nx,0\ny,0\n", tmp_path, labels="name") == "id,label\nx,1\ny,3\n"


def test_an_answer_to_another_question_is_refused(predictions, tmp_path):
    template = "id,style\n100,0\n101,0\n102,0\n"
    clothes = dict(zip(CLASSES, ("hat", "coat", "skirt"), strict=True))
    label = predictions.rename(columns=lambda name: name.replace("style", "label"))
    assert submit(label, template, tmp_path).splitlines()[1] == "100,1"  # a folder of K-Fashion's styles
    hats = label.assign(label=label["label"].map(clothes))
    hats = hats.rename(columns={f"label:{style}": f"label:{name}" for style, name in clothes.items()})
    with pytest.raises(InputError, match="asks for 'style', a known question.* answer 'label' with hat, coat, skirt"):
        submit(hats, template, tmp_path)
    assert submit(hats, "id,answer\n100,0\n101,0\n102,0\n", tmp_path).splitlines()[1] == "100,1"
