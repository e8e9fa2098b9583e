"""`make map`: draw `docs/map.svg` from the imports: packages are rooms, in import order, and arrows lead to what a room
imports; the thicker, the more imports. A test compares the file with what this draws now, so the map cannot lie."""

import ast
from collections import Counter
from html import escape
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "kfashion_utils"
MAP = Path(__file__).with_name("map.svg")
ORDER = (
    "(root)", "storage", "tables", "datasets", "images", "evaluation", "runs", "plots", "models", "training", "audit",
    "reports", "cli", "__main__",
)  # fmt: skip
NOUNS = {
    "(root)": "words that all need",
    "storage": "a file",
    "tables": "a table",
    "datasets": "a format",
    "images": "pixels",
    "evaluation": "a judgement",
    "runs": "a run",
    "plots": "a figure",
    "models": "a network",
    "training": "learning",
    "audit": "doubt",
    "reports": "a page about a run",
    "cli": "a person",
    "__main__": "the command line",
}
KERAS = ("models", "training")
WIDTH, ROOM, GAP, LINE, LEFT, REACH = 900, 560, 14, 17, 20, 26  # pixels
WRAP = 78  # characters of a line of module names


def modules():
    """{module: its syntax tree}; the root's own `__init__` is empty text and left out."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")
        if name:
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def room_of(module):
    """The package of a module."""
    first = module.partition(".")[0]
    return first if first in ORDER else "(root)"


def imported_modules(tree, known):
    """Names of the modules of this package that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kfashion_utils"):
            base = node.module.removeprefix("kfashion_utils").lstrip(".")
            inner = {f"{base}.{alias.name}".lstrip(".") for alias in node.names} & known.keys()
            found |= inner or ({base} & known.keys())
    return found


def imports_between_rooms(known):
    """Counter of (room, room that it imports): how many of its modules import how many of the other's."""
    counts = Counter()
    for name, tree in known.items():
        for other in imported_modules(tree, known):
            pair = room_of(name), room_of(other)
            if pair[0] != pair[1]:
                counts[pair] += 1
    return counts


# Drawing --------------------------------------------------------------------------------------------------------------


def names_in(room, known):
    """Names of a room's modules, those of a package within it under its own name."""
    inside = [name.removeprefix(f"{room}.") for name in known if room_of(name) == room and name != room]
    return sorted({name.partition(".")[0] if room != "(root)" else name for name in inside})


def wrapped(names):
    """Lines of names."""
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) + 3 > WRAP:
            lines.append("")
        lines[-1] += f" · {name}" if lines[-1] else name
    return [line for line in lines if line]


def draw_room(room, top, lines):
    """(SVG of a room, its height)."""
    height = 34 + LINE * len(lines)
    kind = "keras" if room in KERAS else "room"
    parts = [
        f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{ROOM}" height="{height}" rx="6"/>',
        f'<text class="name" x="{LEFT + 14}" y="{top + 23}">{escape(room)}</text>',
        f'<text class="noun" x="{LEFT + ROOM - 14}" y="{top + 23}" text-anchor="end">{escape(NOUNS[room])}</text>',
    ]
    for number, line in enumerate(lines):
        parts.append(f'<text class="in" x="{LEFT + 14}" y="{top + 43 + LINE * number}">{escape(line)}</text>')
    return "\n".join(parts), height


def draw_arrow(start, end, steps, count):
    """SVG of an arrow from the height `start` up to `end`, the further out, the more rooms it passes."""
    x, out = LEFT + ROOM, LEFT + ROOM + REACH + REACH * steps
    width = 0.7 + 0.35 * min(count, 12)
    path = f"M {x} {start} C {out} {start}, {out} {end}, {x + 7} {end}"
    return f'<path class="arrow" d="{path}" stroke-width="{width:.2f}" marker-end="url(#head)"/>'


def draw():
    """The whole map, text of an SVG file."""
    known = modules()
    rooms, spots, top = [], {}, 60
    for room in ORDER:
        drawing, height = draw_room(room, top, wrapped(names_in(room, known)))
        rooms.append(drawing)
        spots[room] = top, height
        top += height + GAP
    counts = imports_between_rooms(known)
    arrows = [_arrow_between(pair, counts[pair], counts, spots) for pair in sorted(counts, key=_by_order)]
    total = sum(counts.values())
    title = f"{len(known)} modules, {total} imports between packages"
    title += "; arrows lead to what is imported, orange rooms load Keras"
    return TEMPLATE.format(
        width=WIDTH, height=top + 10, left=LEFT, title=title, arrows="\n".join(arrows), rooms="\n".join(rooms)
    )


def _by_order(pair):
    return tuple(map(ORDER.index, pair))


def _arrow_between(pair, count, counts, spots):
    """The arrow of one pair; those that leave or reach one room do so at heights of their own."""
    room, other = pair
    steps = ORDER.index(room) - ORDER.index(other)
    leaving = sorted((one for one in counts if one[0] == room), key=_by_order, reverse=True)
    arriving = sorted((one for one in counts if one[1] == other), key=_by_order)
    start = _height_within(spots[room], leaving.index(pair), len(leaving), 0.0, 0.5)
    end = _height_within(spots[other], arriving.index(pair), len(arriving), 0.5, 1.0)
    return draw_arrow(start, end, steps, count)


def _height_within(spot, number, count, first, last):
    top, height = spot
    return round(top + height * (first + (last - first) * (number + 1) / (count + 1)), 1)


TEMPLATE = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">
<style>
  text {{ font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1b1b1b; }}
  .title {{ font-size: 15px; fill: #555; }}
  .name {{ font-size: 16px; font-weight: 600; }}
  .noun {{ font-size: 13px; font-style: italic; fill: #666; }}
  .in {{ font-size: 12px; fill: #444; }}
  .room {{ fill: #f6f4ee; stroke: #b9b3a3; }}
  .keras {{ fill: #fdeee2; stroke: #d79b6a; }}
  .arrow {{ fill: none; stroke: #0072b2; stroke-opacity: .45; }}
</style>
<defs><marker id="head" markerUnits="userSpaceOnUse" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">
<path d="M 0 0 L 8 4 L 0 8 z" fill="#0072b2" fill-opacity=".7"/></marker></defs>
<rect width="100%" height="100%" fill="#fff"/>
<text class="title" x="{left}" y="36">{title}</text>
{arrows}
{rooms}
</svg>
"""


if __name__ == "__main__":
    MAP.write_text(draw(), encoding="utf-8")
    print(MAP)
