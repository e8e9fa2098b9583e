"""How well an audit finds copies of real photographs: `python -m benchmarks.audit copies`."""

import json
import time

import numpy as np
import pandas as pd
from PIL import Image

import kfashion_utils as kf
from benchmarks.measures import DATA, WEIGHTS
from kfashion_utils.audit.audit import audit_catalog
from kfashion_utils.images import decoding, geometry
from kfashion_utils.tables.catalog import complete_catalog

SETS = {  # name: (data set, folder)
    "K-Fashion's sample": ("kfashion", DATA / "kfashion/New_sample"),
    "clothing_small": ("folders", DATA / "clothing_small"),
    "ccp_people": ("folders", DATA / "ccp_people/photos"),
}
STEPS = {"hash": {}, "hash and embedding": {"backbone": "mobilenet_025", "weights": WEIGHTS}}


def shrunk(share):
    def shrink(picture):
        size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
        return picture.resize(size, Image.Resampling.LANCZOS)

    return shrink


def cropped(share, mirror=False):
    """A part that lacks `share` of width and height, half of it on each side."""

    def crop(picture):
        across, down = picture.width * share / 2, picture.height * share / 2
        part = picture.crop((round(across), round(down), round(picture.width - across), round(picture.height - down)))
        return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirror else part

    return crop


COPIES = {
    "25 %": shrunk(0.25),
    "50 %": shrunk(0.5),
    "q40": lambda picture: picture,
    "128 px": lambda picture: shrunk(128 / max(picture.size))(picture),
    "mirror": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "crop 5 %": cropped(0.05),
    "crop 15 %": cropped(0.15),
    "crop 15 %, mirror": cropped(0.15, mirror=True),
}


def make_copies(catalog, root, folder):
    """A catalog of each picture and its copies, `photo` saying of which it is one, and `kind` which copy."""
    rows = []
    for number, (path, polygon) in enumerate(zip(catalog["path"], catalog["polygon"], strict=True)):
        pixels = decoding.open_image(path, root)
        picture = Image.fromarray(pixels)
        made = {"original": picture, **{name: make(picture) for name, make in COPIES.items()}}
        if polygon:
            rings = [np.array(ring, float) for ring in json.loads(polygon)]
            painted = np.where(geometry.inside(rings, *pixels.shape[:2])[..., None] == 0, np.uint8(255), pixels)
            made["mask"] = Image.fromarray(painted)
        for kind, copy in made.items():
            row = f"{number:05d}-{kind}".replace(" ", "").replace("%", "pc").replace(",", "-")
            copy.save(folder / f"{row}.jpg", quality=40 if kind == "q40" else 90)
            rows.append({"id": row, "path": f"{row}.jpg", "kind": kind, "of": str(number)})
    table = pd.DataFrame(rows)
    return complete_catalog(table[["id", "path"]]), table["kind"].to_numpy(), table["of"].to_numpy()


def copies(scratch, most=700):
    """Share of copies of real photographs in the group of their original, and false pairs, by hash alone and with the
    embedding step.

    Originals that are copies of each other are told by comparing them at full size; pairs between them and their copies
    are no false ones.
    """
    for name, (dataset, root) in SETS.items():
        folder = scratch / name
        folder.mkdir()
        catalog = kf.build_catalog(dataset, root)[0]
        catalog = catalog.iloc[:: max(1, len(catalog) // most)].iloc[:most]
        table, kind, of = make_copies(catalog, root, folder)
        kinds = [*dict.fromkeys(kind[kind != "original"])]
        print(f"\n### Copies of {len(catalog)} photographs of {name}\n")
        print(f"| | {' | '.join(kinds)} | pairs of different photographs |\n|{'---|' * (len(kinds) + 2)}")
        for step, options in STEPS.items():
            started = time.perf_counter()
            audit = audit_catalog(table, folder, scratch / f"{name}-out", progress=False, **options)
            spent = time.perf_counter() - started
            recall = " | ".join(f"{value:.3f}" for value in _recall(audit, kind, of))
            between = _pairs_between(audit, dict(zip(table["id"], of, strict=True)))
            paths = {pair: [catalog["path"].iloc[int(one)] for one in pair] for pair in between}
            false = [pair for pair in sorted(between) if not _same_photograph(paths[pair], root)]
            shown = f"{len(false)} ({len(between) - len(false)} more are duplicates in the data)"
            print(f"| {step}, {spent:.0f} s | {recall} | {shown} |", flush=True)
            for pair in false:
                print(f"  false: {paths[pair]} {between[pair]}")


def _recall(audit, kind, of):
    """Of each kind of copy the share that is in the group of its original."""
    group = audit.catalog["group"].to_numpy()
    original = dict(zip(of[kind == "original"], group[kind == "original"], strict=True))
    joined = pd.Series([row == original[one] for row, one in zip(group, of, strict=True)])
    return joined[kind != "original"].groupby(kind[kind != "original"], sort=False).mean()


def _pairs_between(audit, source):
    """{(one photograph, another one): how} of the pairs whose pictures are not of one photograph; `source` = {id of a
    copy: its photograph}."""
    rows = zip(audit.pairs["id"], audit.pairs["other"], audit.pairs["how"], strict=True)
    named = [(tuple(sorted((source[one], source[other]))), how) for one, other, how in rows]
    return {pair: how for pair, how in named if pair[0] != pair[1]}


def _same_photograph(paths, root):
    """Whether two whole pictures are equal but for size and compression: correlation at 128 px of .98 in every colour,
    either way round."""
    pictures = [Image.fromarray(decoding.open_image(path, root)) for path in paths]
    one, other = (np.asarray(picture.resize((128, 128), Image.Resampling.BOX), float) for picture in pictures)
    return max(_least_correlation(one, other), _least_correlation(one, other[:, ::-1])) > 0.98


def _least_correlation(one, other):
    return min(np.corrcoef(one[..., colour].ravel(), other[..., colour].ravel())[0, 1] for colour in range(3))
