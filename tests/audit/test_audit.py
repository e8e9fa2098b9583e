"""The audit as its user sees it: copies are found and grouped, pictures that differ are not, and what is wrong is
said."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.audit import candidates, overlay, search
from kfashion_utils.audit import pictures as looking
from kfashion_utils.audit.audit import audit_catalog
from kfashion_utils.audit.hashes import MIRROR, perceptual_hash
from kfashion_utils.audit.pairs import twins
from kfashion_utils.audit.search import near_pairs
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation import label_errors
from kfashion_utils.tables.catalog import complete_catalog


def scene(seed, size=(240, 320)):
    """A picture of large soft shapes with fine noise over them, as photographs have."""
    rng = np.random.default_rng(seed)
    shapes = Image.fromarray(rng.integers(0, 255, (6, 5, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    pixels = np.asarray(shapes).astype(int) + rng.integers(-12, 13, (size[1], size[0], 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture
def photos(tmp_path):
    """(root, catalog): eight scenes and copies of the first four."""
    root = tmp_path / "photos"
    root.mkdir()
    rows = []

    def add(name, picture, label, split="train", **options):
        picture.save(root / f"{name}.jpg", quality=options.pop("quality", 92))
        rows.append({"id": name, "path": f"{name}.jpg", "split": split, "style": label})

    for seed in range(8):
        add(f"s{seed}", scene(seed), "레트로" if seed % 2 else "모던")
    add("s0-small", scene(0).resize((60, 80)), "모던", "valid")
    add("s1-worse", scene(1), "레트로", quality=40)
    add("s2-mirror", scene(2).transpose(Image.Transpose.FLIP_LEFT_RIGHT), "모던")
    add("s3-again", scene(3), "펑크")
    return root, complete_catalog(rows)


def look(photos, tmp_path, **options):
    return audit_catalog(photos[1], photos[0], tmp_path / "out", progress=False, workers=1, **options)


def found(audit, finding):
    return audit.findings[audit.findings["finding"] == finding]


def same_group(audit, *ids):
    return audit.catalog.set_index("id").loc[list(ids), "group"].nunique() == 1


# Hashes and their search ----------------------------------------------------------------------------------------------


def brute_force(hashes, radius, mirror):
    pairs = []
    for row in range(len(hashes)):
        different = hashes[row] ^ hashes[row + 1 :]
        near = np.bitwise_count(different) <= radius
        if mirror:
            near |= np.bitwise_count(different ^ np.uint64(mirror)) <= radius
        pairs += [(row, other) for other in row + 1 + np.flatnonzero(near)]
    return np.array(pairs, np.int64).reshape(-1, 2)


def clustered(count, per=100, flips=0.06, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 2**64, max(1, count // per), dtype=np.uint64)
    noise = np.packbits(rng.random((count, 64)) < flips, axis=1).view(">u8")[:, 0].astype(np.uint64)
    return centres[rng.integers(0, len(centres), count)] ^ noise


@pytest.mark.parametrize("radius", [0, 1, 4, 8])
@pytest.mark.parametrize("mirror", [0, MIRROR, 1])
def test_the_search_finds_what_comparing_all_finds(radius, mirror, monkeypatch):
    rng = np.random.default_rng(radius)
    for values in (
        clustered(900, 300),
        rng.integers(0, 2**10, 700).astype(np.uint64),
        rng.integers(0, 2**64, 1, dtype=np.uint64),
        np.zeros(0, np.uint64),
    ):
        assert np.array_equal(near_pairs(values, radius, mirror), brute_force(values, radius, mirror))
    # large buckets are searched by tables of their own
    monkeypatch.setattr(search, "LARGE", 200 if radius == 4 else 10**6)
    values = clustered(900, 300)
    assert np.array_equal(near_pairs(values, radius, mirror), brute_force(values, radius, mirror))


def test_too_many_pairs_are_refused_before_memory_ends():
    with pytest.raises(InputError, match="smaller radius"):
        near_pairs(np.zeros(1000, np.uint64), 4, most=1000)
    with pytest.raises(InputError, match=r"0\.\.16"):
        near_pairs(np.zeros(2, np.uint64), 20)


def test_the_hash_of_a_mirror_image_is_the_hash_with_some_bits_flipped():
    for seed in range(5):
        grey = np.asarray(scene(seed).convert("L"))
        assert (perceptual_hash(grey) ^ perceptual_hash(np.ascontiguousarray(grey[:, ::-1])) ^ MIRROR).bit_count() <= 1


# Duplicates, groups, leaks, conflicts ---------------------------------------------------------------------------------


def test_copies_are_joined_and_nothing_else(photos, tmp_path):
    audit = look(photos, tmp_path)
    pairs = {(row.id, row.other): row.how for row in audit.pairs.itertuples()}
    assert pairs == {
        ("s0", "s0-small"): "near",
        ("s1", "s1-worse"): "near",
        ("s2", "s2-mirror"): "mirror",
        ("s3", "s3-again"): "exact",
    }
    assert all(same_group(audit, *pair) for pair in pairs)
    assert audit.catalog["group"].nunique() == 8


def test_leaks_and_conflicts_are_named(photos, tmp_path):
    audit = look(photos, tmp_path)
    assert found(audit, "leak")["id"].tolist() == ["s0-small"] or found(audit, "leak")["id"].tolist() == ["s0"]
    assert "1 train, 1 valid" in found(audit, "leak")["detail"].iat[0]
    conflict = found(audit, "conflict").iloc[0]
    assert conflict["id"] == "s3-again" and "'펑크'" in conflict["detail"] and "'레트로' in s3" in conflict["detail"]
    assert found(audit, "twin").empty
    again = audit_catalog(kf.split_catalog(audit.catalog, valid=0.3), photos[0], tmp_path / "out", progress=False)
    assert found(again, "leak").empty


def test_the_second_detector_finds_copies_by_itself(photos, tmp_path):
    records, *_ = looking.read_records(photos[1]["path"], photos[0], tmp_path / "out", progress=False, workers=1)
    names = sorted(photos[1]["path"])  # records are in the order of paths
    assert {(names[a], names[b]) for a, b in twins(records)} == {
        ("s0-small.jpg", "s0.jpg"),
        ("s1-worse.jpg", "s1.jpg"),
        ("s2-mirror.jpg", "s2.jpg"),
    }


def test_old_groups_are_never_cut(photos, tmp_path):
    root, catalog = photos
    catalog.loc[catalog["id"].isin(["s0", "s7"]), "group"] = "look"
    catalog.loc[catalog["id"].isin(["s6", "s5"]), "photo"] = "one"
    audit = look((root, catalog), tmp_path)
    assert same_group(audit, "s0", "s7", "s0-small") and same_group(audit, "s5", "s6")
    assert audit.catalog.drop(columns="group").equals(catalog.drop(columns="group"))


def test_rows_of_one_picture_are_one_picture(photos, tmp_path):
    root, catalog = photos
    rows = complete_catalog(pd.concat([catalog, catalog.iloc[:1].assign(id="s0-top", photo="s0", style="펑크")]))
    audit = look((root, rows), tmp_path)
    assert audit.pictures == 12 and same_group(audit, "s0", "s0-top")


# Flaws ----------------------------------------------------------------------------------------------------------------


def flawed():
    big = scene(0, (400, 400))
    halves = Image.new("RGB", (400, 400))
    halves.paste(scene(1, (200, 400)).point(lambda level: level // 3), (0, 0))
    halves.paste(scene(2, (200, 400)).point(lambda level: 170 + level // 3), (200, 0))
    squares = np.kron(np.random.default_rng(0).integers(0, 2, (8, 8)), np.ones((40, 40)))
    drawing = Image.fromarray(squares.astype(np.uint8) * 200)
    return {
        "tiny": big.resize((40, 40)),
        "odd aspect": big.resize((400, 80)),
        "blank": Image.new("RGB", (300, 300), (250, 250, 250)),
        "blurred": big.filter(ImageFilter.GaussianBlur(12)),
        "collage": halves,
        "drawing": drawing.convert("RGB"),
    }


def test_flaws_are_found_and_good_pictures_have_none(tmp_path):
    rows = [{"id": "good", "path": "good.png"}]
    scene(0, (400, 400)).save(tmp_path / "good.png")
    for name, picture in flawed().items():
        picture.save(tmp_path / f"{name}.png")
        rows.append({"id": name, "path": f"{name}.png"})
    findings = audit_catalog(pd.DataFrame(rows), tmp_path, tmp_path / "out", progress=False, workers=1).findings
    for name in flawed():
        assert name in findings.loc[findings["id"] == name, "finding"].tolist(), name
    assert findings[findings["id"] == "good"].empty
    assert findings.loc[findings["id"] == "blank", "finding"].tolist() == ["blank"]


def test_unreadable_pictures_are_findings_and_keep_their_group(photos, tmp_path):
    root, catalog = photos
    (root / "s5.jpg").write_bytes(b"no picture")
    (root / "s6.jpg").unlink()
    audit = look(photos, tmp_path)
    assert dict(found(audit, "unreadable")[["id", "detail"]].to_numpy())["s5"].startswith("not a picture")
    assert set(found(audit, "unreadable")["id"]) == {"s5", "s6"} and len(audit.catalog) == len(catalog)


def test_odd_shares_are_named(tmp_path, photos):
    root, catalog = photos
    audit = look((root, catalog.assign(split=["train"] * 3 + ["test"] * 9)), tmp_path)
    texts = found(audit, "shares")["detail"].tolist()
    assert any(text.startswith("test 75%") for text in texts) and any(text.startswith("train 25%") for text in texts)


# Calling again, bad input ---------------------------------------------------------------------------------------------


def test_calling_again_looks_at_new_and_changed_pictures_only(photos, tmp_path, monkeypatch):
    root, catalog = photos
    first = look((root, catalog.iloc[:8]), tmp_path)
    seen, look_at = [], looking.look_at
    monkeypatch.setattr(looking, "look_at", lambda path, *rest: seen.append(path) or look_at(path, *rest))
    monkeypatch.setattr(
        looking.joblib, "Parallel", lambda **_: lambda jobs: [call(*args, **named) for call, args, named in jobs]
    )
    scene(77).save(root / "s7.jpg")
    audit = look(photos, tmp_path)
    assert sorted(seen) == sorted([*catalog["path"][8:], "s7.jpg"]) and first.pictures == 8 and audit.pictures == 12
    next((tmp_path / "out" / "records").glob("*.records")).write_bytes(b"damaged")
    assert look(photos, tmp_path).pairs.equals(audit.pairs)


@pytest.mark.parametrize("case", ["no picture", "doubled ids", "radius"])
def test_bad_input_is_one_error(case, photos, tmp_path):
    root, catalog = photos
    if case == "no picture":
        with pytest.raises(InputError, match="none of the catalog's 12 pictures is below"):
            look((tmp_path / "elsewhere", catalog), tmp_path)
    elif case == "doubled ids":
        with pytest.raises(InputError, match="id 's0' is not unique"):
            look((root, catalog.assign(id="s0")), tmp_path)
    else:
        with pytest.raises(InputError, match="radius 30"):
            look(photos, tmp_path, radius=30)


def test_the_command_writes_tables_and_sheets(photos, tmp_path, capsys):
    root, catalog = photos
    kf.write_catalog(catalog, tmp_path / "c.csv")
    given = ["--root", str(root), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main(["audit", str(tmp_path / "c.csv"), *given]) == 0
    printed = capsys.readouterr().out
    assert "12 rows, 12 pictures, 8 groups" in printed and "1 pairs: equal files" in printed
    assert kf.read_catalog(tmp_path / "out" / "catalog.csv")["group"].nunique() == 8
    assert list(pd.read_csv(tmp_path / "out" / "findings.csv").columns) == ["id", "finding", "detail", "value"]
    sheets = {path.name for path in (tmp_path / "out").glob("sheet-*.png")}
    assert {"sheet-pairs-near-01.png", "sheet-conflict-01.png", "sheet-leak-01.png"} <= sheets
    Image.open(tmp_path / "out" / "sheet-pairs-near-01.png").verify()


def test_edits_are_not_written_over(photos, tmp_path, capsys):
    root, catalog = photos
    kf.write_catalog(catalog, tmp_path / "c.csv")
    edits = tmp_path / "label_errors.csv"
    edits.write_text("id,column,label,suggestion\n")
    given = ["--root", str(root), "--out", str(tmp_path), "--edits", str(edits), "--predictions", "p.csv"]
    assert main(["audit", str(tmp_path / "c.csv"), *given]) == 2
    assert "copy it to another name" in capsys.readouterr().err and edits.read_text() == "id,column,label,suggestion\n"


# Parts ----------------------------------------------------------------------------------------------------------------


def grey(picture):
    return [np.asarray(fitted(picture.convert("L"), side)) for side in (overlay.COARSE_SIDE, overlay.SIDE)]


def fine(picture):
    return np.asarray(fitted(picture, overlay.FINE_SIDE))


def fitted(picture, side):
    """The picture, `side` at its longest."""
    width, height = (round(extent * side / max(picture.size)) for extent in picture.size)
    return picture.resize((width, height), Image.Resampling.BOX)


def test_a_part_is_recognised_and_another_picture_is_not():
    whole = scene(0)
    part = whole.crop((20, 30, 220, 300))
    painted = np.full((320, 240, 3), 255, np.uint8)
    painted[60:260, 50:200] = np.asarray(whole)[60:260, 50:200]
    for other in (part, part.transpose(Image.Transpose.FLIP_LEFT_RIGHT), Image.fromarray(painted)):
        score, fit = overlay.part_score(grey(whole), grey(other))
        assert score > overlay.SAME_PART and overlay.is_same(fine(whole), fine(other), *fit)
        red, green, blue = other.split()
        assert not overlay.is_same(fine(whole), fine(Image.merge("RGB", (blue, red, green))), *fit)
    assert max(overlay.part_score(grey(whole), grey(scene(seed)))[0] for seed in range(1, 8)) < overlay.SAME_PART


def test_two_shirts_on_one_blanket_are_two_photographs():
    """Only the print differs: grey shapes and colours agree, its squares do not."""
    rng = np.random.default_rng(0)
    shading = np.linspace(0, 60, 240)[None, :, None]  # a single level would be taken for paint
    shirt = np.full((320, 240, 3), (170, 20, 60)) + shading
    shirt[60:280, 50:190] = 160 + shading[:, 50:190]
    shirt = shirt.astype(np.uint8)
    pictures = []
    for _ in range(2):
        pixels = shirt.copy()
        print_ = rng.integers(170, 230, (8, 8, 1), dtype=np.uint8)
        pixels[110:190, 80:160] = np.kron(print_, np.ones((10, 10, 1), np.uint8))
        pictures.append(Image.fromarray(pixels))
    one, other = pictures
    for of, expected in ((other, False), (one, True)):
        part = of.crop((5, 5, 235, 315))
        score, fit = overlay.part_score(grey(one), grey(part))
        assert score > overlay.SAME_PART
        assert overlay.is_same(fine(one), fine(part), *fit) == expected


def test_neighbours_are_those_of_all_cosines(monkeypatch):
    monkeypatch.setattr(candidates, "BLOCK", 7)
    monkeypatch.setattr(candidates, "COLUMNS", 11)
    vectors = candidates.whitened(np.random.default_rng(0).normal(size=(50, 16)).astype(np.float32))
    cosines = vectors @ vectors.T - 3 * np.eye(50)
    expected = {
        tuple(sorted((row, int(other))))
        for row in range(50)
        for other in np.argsort(-cosines[row])[:3]
        if cosines[row, other] >= 0.2
    }
    assert {tuple(pair) for pair in candidates.neighbours(vectors, 3, 0.2).tolist()} == expected


# Label errors ---------------------------------------------------------------------------------------------------------


def judged(count=300, wrong=15, seed=0):
    """(predictions, catalog, ids whose label is wrong): three classes, a model that is mostly right."""
    rng = np.random.default_rng(seed)
    classes = np.array(["레트로", "모던", "펑크"])
    truth = rng.integers(0, 3, count)
    scores = rng.dirichlet([1, 1, 1], count) * 0.04
    scores[np.arange(count), truth] += 0.96
    ids = [f"p{number}" for number in range(count)]
    given = truth.copy()
    given[:wrong] = (truth[:wrong] + 1) % 3
    paths = [f"{row}.jpg" for row in ids]
    catalog = complete_catalog(pd.DataFrame({"id": ids, "path": paths, "style": classes[given]}))
    columns = {f"style:{name}": scores[:, number] for number, name in enumerate(classes)}
    table = pd.DataFrame({"id": ids, "photo": ids, "style": classes[scores.argmax(1)], **columns})
    return table, catalog, ids[:wrong], classes[truth]


def test_flipped_labels_are_found_and_edits_put_them_right():
    pytest.importorskip("cleanlab")
    predictions, catalog, wrong, truth = judged()
    errors = kf.find_label_errors(predictions, catalog)
    right = errors[errors["id"].isin(wrong)]
    assert list(errors.columns) == label_errors.COLUMNS and len(errors) <= 17 and len(right) >= 14
    edited = kf.apply_edits(catalog, right)
    assert (edited["style"].to_numpy() == truth).sum() == 300 - 15 + len(right)
    assert kf.apply_edits(edited, right).equals(edited)  # applied twice is applied once


def test_edits_that_do_not_fit_are_refused_together():
    _, catalog, _, _ = judged(5, 0)
    edits = pd.DataFrame(
        {
            "id": ["p0", "x", "p1", "p2", "p2"],
            "column": ["style", "style", "path", "style", "style"],
            "label": ["우주", "", "", "a", "b"],
            "suggestion": "모던",
        }
    )
    edits.loc[0, "suggestion"] = "없음"
    with pytest.raises(InputError, match="5 problems") as caught:
        kf.apply_edits(catalog, edits)
    assert "row 2 (id 'p0'): style was '우주'" in str(caught.value) and "no such id" in str(caught.value)
    with pytest.raises(InputError, match="id 'p0' stands in the catalog more than once"):
        kf.apply_edits(pd.concat([catalog, catalog[:1]]), edits)
    with pytest.raises(InputError, match="'suggestion'"):
        kf.apply_edits(catalog, edits.drop(columns="suggestion"))


def test_label_errors_without_cleanlab_or_with_other_rows(monkeypatch):
    predictions, catalog, _, _ = judged(30, 0)
    with pytest.raises(InputError, match="id 'p29' is not in the catalog"):
        kf.find_label_errors(predictions, catalog.iloc[:29])
    with pytest.raises(InputError, match="labels of two classes"):
        kf.find_label_errors(predictions, catalog.assign(style=catalog["style"].iat[0]))
    monkeypatch.setitem(__import__("sys").modules, "cleanlab", None)
    with pytest.raises(InputError, match=r"pip install 'kfashion-utils\[quality\]'"):
        kf.find_label_errors(predictions, catalog)


@pytest.mark.realdata
def test_copies_of_real_photographs_are_found_and_no_false_pair(real_data, tmp_path):
    rows = []
    for number, path in enumerate(sorted((real_data / "clothing_small" / "validation").rglob("*.jpg"))[:120]):
        picture = Image.open(path).convert("RGB")
        for name, copy in {
            "": picture,
            "-q": picture.resize((picture.width // 4, picture.height // 4), Image.Resampling.LANCZOS),
        }.items():
            copy.save(tmp_path / f"{number:03d}{name}.jpg", quality=85)
            rows.append({"id": f"{number:03d}{name}", "path": f"{number:03d}{name}.jpg"})
    pairs = audit_catalog(pd.DataFrame(rows), tmp_path, tmp_path / "out", progress=False).pairs
    assert (pairs["id"].str[:3] == pairs["other"].str[:3]).all() and len(pairs) >= 119
