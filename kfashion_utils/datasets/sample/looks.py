"""A look drawn: its wardrobe, person and place are chosen once, then every shot is posed, drawn, lit and written.

`draw_look` is what a worker process runs.
"""

import cv2
import numpy as np

from kfashion_utils.datasets.sample.cloth import Cloth, Figure
from kfashion_utils.datasets.sample.cuts import CUTS
from kfashion_utils.datasets.sample.dressing import draw_figure
from kfashion_utils.datasets.sample.facts import ARMS, BUILDS, COLOURS, HAIRCUTS, HAIRS, LEGS, LIGHTS, SKINS
from kfashion_utils.datasets.sample.labels import write_shot
from kfashion_utils.datasets.sample.paint import darker, mix
from kfashion_utils.datasets.sample.places import PLACES
from kfashion_utils.datasets.sample.plan import choose, random_stream
from kfashion_utils.datasets.sample.prints import PRINTS
from kfashion_utils.datasets.sample.styles import JEWELLERY, STYLES

# Share of the height, of the contrast: with 0 and 0 a small network on whole pictures drops from .70 to .25.
BLUR, FADE = 0.008, 0.40
# Share of broad builds by style, where they are more than OTHERS_BROAD.
BROAD = {
    "매니시": 0.5,
    "힙합": 0.5,
    "스트리트": 0.5,
    "밀리터리": 0.5,
    "웨스턴": 0.5,
    "젠더리스": 0.5,
    "톰보이": 0.3,
    "스포티": 0.3,
}
OTHERS_BROAD = 0.12
# By how much a look moves the lengths and widths of a cut, up or down.
JITTER = {"hem": 0.02, "length": 0.03, "wide": 0.08, "puff": 0.06, "ease": 0.15, "flare": 0.12, "skew": 0.2}


def draw_look(look, root, seed):
    """Draws and writes all shots of a look (see `plan`) below the `Path` root; returns counts of what was planted."""
    rng = random_stream(seed, 1, look["index"])
    wardrobe = _outfit(rng, look["style"], look["index"])
    person = _person(rng, look["style"], wardrobe)
    place = PLACES[choose(rng, list(PLACES))]
    hues = [mix(COLOURS[choose(rng, list(COLOURS))], (200, 196, 190), rng.uniform(0.0, 0.35)) for _ in range(5)]
    others = [name for name in STYLES if name != look["style"]]
    hangers = [cloth for _ in range(3) for cloth in _outfit(rng, choose(rng, others)).values()]
    planted = {}
    for shot in look["shots"]:
        stream = random_stream(seed, 2, look["index"], shot["number"])
        width, height = shot["size"]
        pixels = np.zeros((height, width, 3), np.uint8)
        place(pixels, stream, hues, hangers)
        pixels, labels = _draw_person(_out_of_focus(pixels), wardrobe, person, darker(hues[1], 0.65), stream)
        write_shot(root, look, shot, wardrobe, pixels, labels, stream, planted)
    return planted


def _draw_person(pixels, wardrobe, person, shadow, rng):
    """The person in front of a background: uint8 RGB `(height, width, 3)`, and its `labels` as in `cloth`."""
    height, width = pixels.shape[:2]
    labels = np.zeros((2, height, width), np.uint8)
    pose = _pose(rng, (width, height))
    scale, foot = pose["scale"], np.asarray(pose["origin"]) + (0, pose["scale"] * 0.985)
    axes = int(scale * 0.15), int(scale * 0.022)
    cv2.ellipse(pixels, tuple(int(v) for v in foot), axes, 0, 0, 360, shadow, -1, cv2.LINE_AA)
    draw_figure(Figure(pixels, labels, person, pose), wardrobe)
    return _lit(pixels, rng), labels


def _outfit(rng, style, turn=None):
    """part -> Cloth, in the style's cuts, prints and colours; `turn` walks through the outfits, None takes any."""
    facts = STYLES[style]
    names = choose(rng, facts["palettes"]).split()
    colours = _dyed(rng, names)
    outfit = facts["outfits"][(rng.integers(99) if turn is None else turn) % len(facts["outfits"])]
    chosen = {}  # one print name makes one choice a look: a suit's jacket and trousers match
    wardrobe = {}
    for cut_name, prints, order in outfit:
        print_name = chosen.setdefault(prints, choose(rng, prints))
        cut = _jittered(rng, CUTS[cut_name])
        own_names, own_colours = tuple(names[int(k)] for k in order), tuple(colours[int(k)] for k in order)
        tile = PRINTS[print_name][0](*own_colours, rng)
        wardrobe[cut["part"]] = Cloth(cut_name, cut, print_name, tile, own_names, own_colours)
    return wardrobe


def _dyed(rng, names):
    """RGB of three colour names, moved a little as dyes differ."""
    gain, shift = rng.uniform(0.88, 1.10), rng.normal(0, 9, 3)
    return tuple(tuple(int(v) for v in np.clip(np.asarray(COLOURS[name]) * gain + shift, 6, 250)) for name in names)


def _jittered(rng, cut):
    """The cut with its lengths and widths moved by some per cent."""
    moved = dict(cut)
    for key, spread in JITTER.items():
        if key in cut:
            moved[key] = cut[key] * (1 + rng.uniform(-spread, spread))
    if cut.get("sleeve", 0) not in (0, 1):
        moved["sleeve"] = cut["sleeve"] * rng.uniform(0.9, 1.1)
    if rng.random() < 0.5 and "skew" in cut:
        moved["skew"] = -moved["skew"]
    return moved


def _person(rng, style, wardrobe):
    """Body, skin, hair, shoes, socks, hat and jewel of the person in a wardrobe."""
    facts, clothes = STYLES[style], list(wardrobe.values())
    broad = rng.random() < BROAD.get(style, OTHERS_BROAD)
    skirted = any("flare" in c.cut and "length" in c.cut or c.name in ("bra_top", "corset") for c in clothes)
    broad = broad and not skirted
    build = BUILDS["broad" if broad else choose(rng, "slim curvy")]
    sock_colour = COLOURS[choose(rng, list(COLOURS))]
    bare = skirted or any(c.name == "sport_shorts" for c in clothes)
    shoe_colours = ((40, 36, 40), (112, 76, 52), (236, 232, 226), clothes[0].colours[1], (60, 60, 70))
    return dict(  # in this order, which is the order of the random numbers
        body={key: value * rng.uniform(0.97, 1.04) for key, value in build.items()},
        skin=choose(rng, SKINS),
        hair=choose(rng, HAIRS),
        haircut="short" if broad else choose(rng, HAIRCUTS),
        lips=mix((190, 80, 86), (226, 120, 120), rng.random()),
        shoes=choose(rng, facts["shoes"]),
        shoe_colour=choose(rng, shoe_colours),
        socks=sock_colour if bare and rng.random() < (0.8 if style in ("키치", "프레피", "스포티") else 0.15) else None,
        hat=choose(rng, facts["hats"]),
        hat_colour=choose(rng, clothes[0].colours),
        jewel=JEWELLERY.get(style),
    )


def _pose(rng, size):
    """Pose and camera of one shot; some pictures cut the feet off, as K-Fashion's do."""
    width, height = size
    close = rng.random() < 0.25
    scale = height * (rng.uniform(1.0, 1.12) if close else rng.uniform(0.76, 0.93))
    scale = min(scale, width * 2.1)
    head = rng.uniform(0.03, 0.07) * height if close else (height - scale) * rng.uniform(0.45, 0.85)
    return dict(  # in this order, which is the order of the random numbers
        scale=scale,
        origin=(width * rng.uniform(0.42, 0.58), head),
        lean=rng.uniform(-0.014, 0.014),
        flip=1 if rng.random() < 0.5 else -1,
        arms={side: np.asarray(ARMS[choose(rng, list(ARMS))]) + rng.uniform(-4, 4, 2) for side in (1, -1)},
        legs={side: np.asarray(LEGS[choose(rng, list(LEGS))]) + rng.uniform(-1, 1, 2) for side in (1, -1)},
    )


def _out_of_focus(pixels):
    """The background as a lens that looks at the figure sees it: softer, and paler towards its own mean colour."""
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), BLUR * height / 2)
    soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    mean = np.empty_like(soft)
    mean[:] = np.full_like(soft[:1], cv2.mean(small)[:3])  # row by row: five times as fast as pixel by pixel
    return cv2.addWeighted(soft, 1 - FADE, mean, FADE, 0)


def _lit(pixels, rng):
    """Light of one shot: colour cast, exposure and a slope of brightness."""
    gain = np.asarray(choose(rng, LIGHTS), np.float32) * rng.uniform(0.84, 1.12)
    slope = np.linspace(*rng.uniform(0.88, 1.08, 2), pixels.shape[1], dtype=np.float32)[None, :, None] * gain
    return cv2.multiply(pixels, np.broadcast_to(slope, pixels.shape).copy(), dtype=cv2.CV_8U)
