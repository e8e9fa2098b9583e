"""Figures of pictures: contact sheets and heat maps."""

import textwrap

import numpy as np
from PIL import Image

from kfashion_utils.errors import InputError
from kfashion_utils.plots.style import DPI, LETTER, WIDTH, class_label, drawable_text, new_figure, text_columns

THUMBNAIL_COLOURS = 24
HEAT_COLOURS = 96  # with fewer a small hot place is lost
GAP, LINE = 8, 15  # between pictures, and of a line of text, pixels
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue


# Contact sheets -------------------------------------------------------------------------------------------------------


def show_images(images, labels=None, columns=6, *, height=104, colours=THUMBNAIL_COLOURS):
    """Pictures in rows of equal height, each with its label beneath.

    Args:
        images: list of uint8 RGB `(h, w, 3)` of any sizes.
        labels: one text a picture, lines separated by a newline; None = none. Korean words are glossed where no font
            has them.
        columns: pictures a row.
        height: of a row, pixels; smaller where the widest row would pass 800 px.
        colours: how many a picture may have, at most 256; fewer make a smaller file. None = as many as it has.

    Raises:
        InputError: no pictures, something that is no uint8 RGB picture, another number of labels, or `columns` or
            `height` too small.
    """
    images = [_as_picture(image, number) for number, image in enumerate(images)]
    _require_showable(images, labels, columns, height)
    rows = [list(range(start, min(start + columns, len(images)))) for start in range(0, len(images), columns)]
    shapes = np.array([np.clip(image.shape[1] / image.shape[0], 0.4, 4) for image in images])
    height = int(min(height, *(_room(row) / shapes[row].sum() for row in rows)))
    widths = np.maximum(1, np.round(shapes * max(height, 1))).astype(int)
    texts = [""] * len(images)
    if labels is not None:
        texts = [_wrapped(drawable_text(str(text)), width) for text, width in zip(labels, widths, strict=True)]
    return _draw_rows(rows, images, texts, widths, height, colours)


def _require_showable(images, labels, columns, height):
    if not images:
        raise InputError("no pictures to show: the list is empty")
    if labels is not None and len(labels) != len(images):
        raise InputError(f"{len(labels)} labels for {len(images)} pictures; give one for each")
    if columns < 1 or height < 8:
        raise InputError(f"columns={columns}, height={height}: expected 1 or more columns and 8 px or more")


def _as_picture(image, number):
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise InputError(
            f"picture {number} is an array of {image.dtype} {image.shape}; expected uint8 RGB (height, width, 3)"
        )
    return image


def _room(row):
    """What a row of pictures may be wide, pixels."""
    return WIDTH * DPI - GAP * (len(row) + 1)


def _draw_rows(rows, images, texts, widths, height, colours):
    """A figure of rows (lists of picture numbers); `widths` of the pictures and the `height` of all, pixels."""
    below = [_room_below([texts[number] for number in row]) for row in rows]
    total_width = max(int(widths[row].sum()) + GAP * (len(row) + 1) for row in rows)
    total_height = sum(below) + height * len(rows)
    figure = new_figure(total_width / DPI, total_height / DPI, layout=None)
    top = total_height
    for row, deep in zip(rows, below, strict=True):
        left = GAP
        for number in row:
            width = widths[number]
            corner = left / total_width, (top - height) / total_height
            axes = figure.add_axes([*corner, width / total_width, height / total_height])
            _draw_picture(axes, images[number], texts[number], (width, height), colours)
            left += int(width) + GAP
        top -= height + deep
    return figure


def _room_below(texts):
    """What the labels of a row need, pixels."""
    lines = max(len(text.splitlines()) for text in texts)
    return lines * LINE + GAP


def _draw_picture(axes, image, text, place, colours):
    """Draw a picture, and its label beneath; `place` = width and height, pixels."""
    scale = min(place[0] / image.shape[1], place[1] / image.shape[0])
    if scale < 1:  # averaged here: better than what the canvas does, and a notebook holds no full-size picture
        image = shrink(image, max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    axes.imshow(image if colours is None else _fewer_colours(image, colours))
    axes.set_axis_off()
    if text:
        axes.text(0.5, -4 / place[1], text, transform=axes.transAxes, ha="center", va="top", linespacing=1.15)


def shrink(image, width, height):
    """uint8 RGB `(h, w, 3)` -> `(height, width, 3)`, averaged."""
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))


def _fewer_colours(image, colours):
    """As many as a thumbnail shows; a figure of twelve photographs is 97 kB as PNG with them, 160 kB without."""
    palette = Image.fromarray(image).quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return np.asarray(palette.convert("RGB"))


def _wrapped(text, width):
    """Lines that fit under a picture of `width` pixels, a little wider at most; four of them at most."""
    letters = max(4, int(width / LETTER))
    lines = [piece for line in text.splitlines() for piece in _wrap_line(line, letters)]
    return "\n".join(lines if len(lines) <= 4 else [*lines[:3], "…"])


def _wrap_line(line, letters):
    columns = text_columns(line)
    if columns <= letters:
        return [line]
    if columns > len(line):  # Hangul is twice as wide
        letters = max(2, letters * len(line) // columns)
    return textwrap.wrap(line, letters)


# Heat -----------------------------------------------------------------------------------------------------------------


def plot_explanation(explanation, columns=5, *, height=150):
    """Pictures under the heat of an `Explanation`: grey = nothing speaks for the class, yellow = the most.

    Args:
        explanation: of `explain`.
        columns: pictures a row.
        height: of a row, pixels.

    Raises:
        InputError: nothing to show.
    """
    pairs = zip(explanation.pictures, explanation.heats, strict=True)
    overlays = [overlay_heat(picture, heat) for picture, heat in pairs]
    labels = [_heat_label(row) for row in explanation.table.to_dict("records")]
    return show_images(overlays, labels, columns, height=height, colours=HEAT_COLOURS)


def overlay_heat(picture, heat):
    """A picture uint8 `(h, w, 3)` in dim grey under its heat `(h, w)` 0..1: uint8 RGB `(h, w, 3)`."""
    import matplotlib

    brightness = picture @ np.array(LUMINANCE)
    grey = np.repeat(brightness[..., None], 3, axis=2)
    colour = matplotlib.colormaps["inferno"](heat)[..., :3] * 255
    share = 0.75 * np.sqrt(heat)[..., None]
    return np.clip((1 - share) * grey + share * colour, 0, 255).astype(np.uint8)


def _heat_label(row):
    label = f"{class_label(row['class'], None)} {row['probability']:.2f}"
    if np.isnan(row["on_garments"]):
        return label
    return f"{label}\n{row['on_garments']:.0%} on garments\n({row['garment_area']:.0%} of area)"
