"""Figures of pictures: contact sheets and heat maps."""

import numpy as np
from PIL import Image

from kfashion_utils.errors import InputError
from kfashion_utils.plots.style import DPI, WIDTH, class_label, drawable_text, fewer_colours, new_figure, wrapped

THUMBNAIL_COLOURS = 24
HEAT_COLOURS = 96  # with fewer a small hot place is lost


# Pictures -------------------------------------------------------------------------------------------------------------


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
        InputError: nothing to show, as many labels as pictures are needed, something that is no picture.
    """
    images = [_as_picture(image, number) for number, image in enumerate(images)]
    if not images:
        raise InputError("no pictures to show: the list is empty")
    if labels is not None and len(labels) != len(images):
        raise InputError(f"{len(labels)} labels for {len(images)} pictures; give one for each")
    if columns < 1 or height < 8:
        raise InputError(f"columns={columns}, height={height}: expected 1 or more columns and 8 px or more")
    rows = [list(range(start, min(start + columns, len(images)))) for start in range(0, len(images), columns)]
    gap = 8
    shapes = np.array([np.clip(image.shape[1] / image.shape[0], 0.4, 4) for image in images])
    height = int(min(height, *((WIDTH * DPI - gap * (len(row) + 1)) / shapes[row].sum() for row in rows)))
    widths = np.maximum(1, np.round(shapes * max(height, 1))).astype(int)
    texts = [
        wrapped(drawable_text(str(text)), width)
        for text, width in zip(labels or [""] * len(images), widths, strict=True)
    ]
    deep = [max(texts[number].count("\n") + bool(texts[number]) for number in row) * 15 + gap for row in rows]
    total_width = max(
        int(widths[row].sum()) + gap * (len(row) + 1) for row in rows
    )  # a label may be a little wider than its picture
    total_height = sum(deep) + height * len(rows)
    figure = new_figure(total_width / DPI, total_height / DPI, layout=None)
    top = total_height
    for row, below in zip(rows, deep, strict=True):
        left = gap
        for number in row:
            place = [
                left / total_width,
                (top - height) / total_height,
                widths[number] / total_width,
                height / total_height,
            ]
            _draw_picture(figure.add_axes(place), images[number], texts[number], (widths[number], height), colours)
            left += int(widths[number]) + gap
        top -= height + below
    return figure


def _as_picture(image, number):
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise InputError(
            f"picture {number} is an array of {image.dtype} {image.shape}; expected uint8 RGB (height, width, 3)"
        )
    return image


def _draw_picture(axes, image, text, place, colours):
    scale = min(place[0] / image.shape[1], place[1] / image.shape[0])
    if scale < 1:  # averaged here: better than what the canvas does, and a notebook holds no full-size picture
        image = shrink(image, max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    axes.imshow(image if colours is None else fewer_colours(image, colours))
    axes.set_axis_off()
    if text:
        axes.text(0.5, -4 / place[1], text, transform=axes.transAxes, ha="center", va="top", linespacing=1.15)


def shrink(image, width, height):
    """uint8 RGB `(h, w, 3)` -> `(height, width, 3)`, averaged."""
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))


# Heat -----------------------------------------------------------------------------------------------------------------


def plot_explanation(explanation, columns=5, *, height=150):
    """Pictures with the heat of an `Explanation` laid over them: grey = nothing speaks for the class, yellow = the
    most.

    Args:
        explanation: of `explain`.
        columns: pictures a row.
        height: of a row, pixels.

    Raises:
        InputError: nothing to show.
    """
    overlays = [
        overlay_heat(picture, heat) for picture, heat in zip(explanation.pictures, explanation.heats, strict=True)
    ]
    return show_images(
        overlays,
        [_heat_label(row) for row in explanation.table.to_dict("records")],
        columns,
        height=height,
        colours=HEAT_COLOURS,
    )


def overlay_heat(picture, heat):
    """A picture uint8 `(h, w, 3)` in dim grey under its heat `(h, w)` 0..1: uint8 RGB `(h, w, 3)`."""
    import matplotlib

    grey = np.repeat((picture @ np.array([0.299, 0.587, 0.114]))[..., None], 3, axis=2)
    colour = matplotlib.colormaps["inferno"](heat)[..., :3] * 255
    share = 0.75 * np.sqrt(heat)[..., None]
    return np.clip((1 - share) * grey + share * colour, 0, 255).astype(np.uint8)


def _heat_label(row):
    label = f"{class_label(row['class'], None)} {row['probability']:.2f}"
    if np.isnan(row["on_garments"]):
        return label
    return f"{label}\n{row['on_garments']:.0%} on garments\n({row['garment_area']:.0%} of area)"
