"""The drawn sample: a small K-Fashion that may be given away.

Real K-Fashion photographs may not be redistributed, so this package draws its own: figures in garments whose cut,
colour and print follow one of the 23 styles, in front of backgrounds that mislead. `draw_sample` writes AI Hub's own
folders and label files. The same `(photos, seed)` gives the same bytes, whatever the number of workers.

A *look* is one outfit on one person in one place; its *shots* differ in pose, camera, light and clutter. Facts are
tables; lengths inside a figure are in units of its height, y down, x = 0 its middle line. A module imports only from
those above it in this list, or to its left:

    facts styles cuts         tables: colours and people; what the 23 styles are drawn from; garments
    paint                     colours mixed, shapes drawn on a picture
    weaves motifs prints      tiles of cloth: computed, drawn, and their table
    figures                   geometry: curves, limbs, outlines of garments
    cloth                     Cloth (a garment), Figure (a person on a picture), cloth laid on a picture
    details_upper, _lower     what is drawn on garments: collars, pockets, pleats ...
    body dressing             the person, and the person dressed
    props places              racks and mannequins, and the eight backgrounds
    plan                      looks, shots, ids and planted flaws
    polygons labels           from masks to AI Hub's label files, and writing
    looks                     one look drawn: what a worker does
"""

import os
from pathlib import Path

from joblib import Parallel, delayed
from tqdm import tqdm

from kfashion_utils.datasets.sample.looks import draw_look
from kfashion_utils.datasets.sample.plan import plan_looks, shares
from kfashion_utils.datasets.sample.styles import STYLES
from kfashion_utils.errors import InputError


def draw_sample(root, photos=1200, seed=0, *, workers=None):
    """Draws a K-Fashion of `photos` photographs (and a few planted flaws on top) into `root`, in AI Hub's layout.

    Args:
        root: folder; receives `라벨링데이터/<style>/<id>.json` and `원천데이터/원천데이터_1/<style>/<id>.jpg`.
        photos: regular photographs; at least 46, so that each of the 23 styles has two.
        seed: the same `(photos, seed)` gives the same bytes, whatever `workers` is.
        workers: processes; all cores when None.

    Returns:
        Counts: `photos`, `looks`, `pictures` and `labels` (files), `styles` (style -> regular photographs), and what
        was planted: `rescaled_duplicates identical_duplicates no_category spelling no_parts alias unreadable no_style
        orphan_label orphan_picture joined_polygons outside_picture`.

    Raises:
        InputError: fewer than 46 photographs, or a folder that holds another drawing or anything else.
    """
    fewest = 2 * len(STYLES)
    if photos < fewest:
        raise InputError(f"photos = {photos}; at least {fewest} are needed, two for each of the {len(STYLES)} styles")
    root = Path(root).absolute()  # workers of an earlier call may stand in another folder
    looks, planted = plan_looks(photos, seed)
    _require_own_folder(root, looks)
    workers = workers or os.cpu_count() or 1
    jobs = Parallel(n_jobs=workers, return_as="generator")(delayed(draw_look)(look, root, seed) for look in looks)
    for found in tqdm(jobs, total=len(looks), desc="drawing looks", unit="look"):
        for name, count in found.items():
            planted[name] = planted.get(name, 0) + count
    shots = sum(len(look["shots"]) for look in looks)
    files = shots + planted["rescaled_duplicates"] + planted["identical_duplicates"]
    return {
        "photos": photos,
        "looks": len(looks),
        "pictures": files - planted["orphan_label"],
        "labels": files - planted["orphan_picture"],
        "styles": shares(photos),
        **planted,
    }


def _require_own_folder(root, looks):
    """A folder may hold this drawing, whole or in part, and no other: two would be read as one data set."""
    own = {str(copy["id"]) for look in looks for shot in look["shots"] for copy in [shot, *shot.get("copies", [])]}
    for folder in ("라벨링데이터", "원천데이터"):
        for path in Path(root, folder).rglob("*.j*"):
            if path.stem not in own:
                problem = f"{path} is not of this drawing"
                raise InputError(f"{problem}; choose an empty folder, or remove the other drawing first")
