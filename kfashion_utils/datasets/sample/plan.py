"""The plan of a drawing: which looks, which shots of each, their ids, names and sizes, and the flaws planted among
them.

A *look* is a dict `index style second prefix shots`; a *shot* a dict `number name size id date` and, where planted,
`flaw` or `copies`. Random numbers come from streams that depend on nothing but the seed and the look's and shot's
numbers.
"""

import numpy as np

from kfashion_utils.datasets.sample.styles import ALIASES, STYLES
from kfashion_utils.tables.tasks import STYLE

# Width, height: AI Hub fixes the width, not the long side.
SIZES = ((480, 629), (480, 629), (480, 480), (600, 800), (480, 640))
# Second styles of those whose group (`tasks.PARENTS`) has no other; the others take one of their group.
NEIGHBOURS = {"젠더리스": ("매니시", "스트리트"), "스포티": ("스트리트", "힙합")}
SHOPS = ("Maru", "Nabi", "Dalbit", "Onda", "Haneul", "Bomnal", "Garam", "Sollip", "Dotori", "Yeoul")


def plan_looks(photos, seed):
    """All looks with their shots, ids, names, sizes and planted flaws: (looks, counts of what is planted)."""
    rng = random_stream(seed, 0)
    looks = []
    for style, count in shares(photos).items():
        number = min(count, max(2, round(count / 2.7)))
        for part in np.array_split(np.arange(count), number):
            looks.append(_new_look(rng, len(looks), style, len(part)))
    return looks, _plant_flaws(rng, looks, photos)


def shares(photos):
    """style -> photographs: K-Fashion's imbalance to the power 0.22: 9 % for the largest, 3 % for the smallest."""
    weights = np.asarray([style["count"] for style in STYLES.values()], float) ** 0.22
    weights = np.maximum(weights / weights.sum(), 0.03)
    wanted = photos * weights / weights.sum()
    counts = np.floor(wanted).astype(int)
    for k in np.argsort(counts - wanted, kind="stable")[: photos - counts.sum()]:
        counts[k] += 1
    while counts.min() < 2:  # a tiny sample: the largest style gives to the smallest
        counts[counts.argmin()] += 1
        counts[counts.argmax()] -= 1
    return dict(zip(STYLES, map(int, counts), strict=True))


def _new_look(rng, index, style, shots):
    second = _second_style(rng, style) if rng.random() < 0.55 else None
    prefix = f"{SHOPS[index % len(SHOPS)]}_{index // len(SHOPS) + 1:03d}"
    look = dict(index=index, style=style, second=second, prefix=prefix, shots=[])
    for _ in range(shots):
        _new_shot(rng, look)
    return look


def _second_style(rng, style):
    parents = dict(zip(STYLE.classes, STYLE.parents, strict=True))
    near = [name for name in STYLES if name != style and parents[name] == parents[style]] or NEIGHBOURS[style]
    return near[rng.integers(len(STYLES) - 1) % len(near)]


def _new_shot(rng, look, **flaw):
    number = len(look["shots"]) + sum(len(shot.get("copies", ())) for shot in look["shots"])
    shot = dict(
        number=number,
        name=f"{look['prefix']}_{number + 1:02d}.jpg",
        size=choose(rng, SIZES),
        id=_identifier(look["index"], number),
        date=_date(rng),
        **flaw,
    )
    look["shots"].append(shot)
    return shot


def _date(rng):
    month, day = rng.integers(1, 13), rng.integers(1, 29)
    hour, minute, second = rng.integers(8, 20), rng.integers(60), rng.integers(60)
    return f"2021-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}"


def _identifier(index, number):
    """Unique and without order: a multiplication modulo a prime mixes the running number."""
    return 100000 + (index * 20 + number + 1) * 611953 % 899981


def _plant_flaws(rng, looks, photos):
    """Adds what the real data suffers from and counts it. Extra photographs come on top of `photos`."""
    regular = [(look, shot) for look in looks for shot in look["shots"]]
    order = iter([regular[k] for k in rng.permutation(len(regular))])
    few = max(1, photos // 200)
    counts = {
        "rescaled_duplicates": few,
        "identical_duplicates": few,
        "no_category": 2 * few,
        "spelling": few,
        "no_parts": 1,
    }
    for _ in range(few):
        look, shot = next(order)
        _copy(look, shot, factor=float(choose(rng, (0.6, 0.75, 1.25))))
        look, shot = next(order)
        _copy(look, shot)
    for flaw in ("no_category", "spelling", "no_parts"):
        for _ in range(counts[flaw]):
            next(order, (None, {}))[1]["flaw"] = flaw
    aliased = [
        shot for look, shot in regular if look["style"] in ALIASES and "flaw" not in shot and "copies" not in shot
    ][:2]
    for shot in aliased:
        shot["flaw"] = "alias"
    for flaw in ("unreadable", "no_style", "orphan_label", "orphan_picture"):
        _new_shot(rng, looks[rng.integers(len(looks))], flaw=flaw)
        counts[flaw] = 1
    return counts | {"alias": len(aliased), "joined_polygons": 0, "outside_picture": 0}


def _copy(look, shot, **changes):
    """Adds the photograph a second time, under another id; with a `factor` in `changes` under another name too."""
    number = max(s["number"] for s in look["shots"]) + 1 + sum(len(s.get("copies", ())) for s in look["shots"])
    name = f"{look['prefix']}_{number + 1:02d}.jpg" if changes else shot["name"]
    copy = dict(size=shot["size"], date=shot["date"], id=_identifier(look["index"], number), name=name, **changes)
    shot["copies"] = shot.get("copies", []) + [copy]


def random_stream(seed, *path):
    """A generator that depends on nothing but the numbers given."""
    return np.random.default_rng(np.random.SeedSequence([int(seed), *map(int, path)]))


def choose(rng, options):
    """One of the options: a sequence, or words in a string."""
    options = options.split() if isinstance(options, str) else options
    return options[rng.integers(len(options))]
