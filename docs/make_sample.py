"""Draw `docs/sample.jpg`: one drawn photograph of each style, and one of them cut out. `python -m docs.make_sample`"""

import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import kfashion_utils as kf
from kfashion_utils.tables.tasks import STYLES

OUT = Path(__file__).with_name("sample.jpg")
COLUMNS, WIDTH, HEIGHT, CAPTION, GAP = 8, 150, 196, 44, 6  # pixels
FONTS = ("NanumGothic.ttf", "NotoSansCJK-Regular.ttc", "malgun.ttf", "AppleGothic.ttf")  # one that has Hangul


def fitted(pixels):
    """A photograph cut and shrunk to a cell, Pillow's picture."""
    picture = Image.fromarray(pixels)
    scale = max(WIDTH / picture.width, HEIGHT / picture.height)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    left, top = (picture.width - WIDTH) // 2, (picture.height - HEIGHT) // 2
    return picture.crop((left, top, left + WIDTH, top + HEIGHT))


def font():
    for name in FONTS:
        try:
            return ImageFont.truetype(name, 15)
        except OSError:
            continue
    raise SystemExit(f"no font with Hangul among {', '.join(FONTS)}; install fonts-nanum")


def cells(root):
    """(picture, its two lines) of every style in order, then of a photograph cut out."""
    kf.draw_sample(root, photos=300, seed=0)
    catalog = kf.build_catalog("sample", root)[0]
    for korean, english, _ in STYLES:
        row = catalog[catalog["style"] == korean].iloc[0]
        yield fitted(kf.open_image(row["path"], root)), (korean, english)
    row = catalog[catalog["style"] == "힙합"].iloc[0]
    cut = kf.Preprocess(size=WIDTH, crop="box", mask="polygon").apply(row["path"], row, root)
    white = Image.new("RGB", (WIDTH, HEIGHT), "white")
    white.paste(Image.fromarray(cut), (0, (HEIGHT - WIDTH) // 2))
    yield white, ("옷만", "crop and mask")


def main():
    letters, step = font(), (WIDTH + GAP, HEIGHT + CAPTION)
    with tempfile.TemporaryDirectory() as root:
        found = list(cells(root))
    rows = -(-len(found) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * step[0] - GAP, rows * step[1]), "white")
    drawing = ImageDraw.Draw(sheet)
    for number, (picture, words) in enumerate(found):
        left, top = number % COLUMNS * step[0], number // COLUMNS * step[1]
        sheet.paste(picture, (left, top))
        place = (left + WIDTH / 2, top + HEIGHT + 3)
        drawing.multiline_text(place, "\n".join(words), "black", letters, "ma", align="center", spacing=3)
    sheet.save(OUT, quality=88)
    print(OUT)


if __name__ == "__main__":
    main()
