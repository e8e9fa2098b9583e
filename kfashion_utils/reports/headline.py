"""How good a head is: its accuracy, the other figures, how sure they are, in the natural and a balanced class mix."""

from kfashion_utils.reports.page import element, lines, section, table
from kfashion_utils.reports.recipe import region_shares, regions_read
from kfashion_utils.reports.wording import beside_title, counted, interval, number, of_kind, percent

TILES = (
    ("balanced_accuracy", "balanced accuracy", "mean over the classes"),
    ("macro_f1", "macro F1", "mean over the classes"),
    ("top3", "top 3", "the truth is among three answers"),
    ("parent_accuracy", "parents", "the coarser group is right"),
)
FIGURES = {"accuracy": "accuracy", "top3": "top 3", "parent_accuracy": "parents", "macro_f1": "macro F1"}
NATURAL = ("natural", "low", "high")  # a figure and its interval in a table of `score_intervals`
BALANCED = ("balanced", "balanced_low", "balanced_high")
WHOLE_PICTURES = "This recipe reads no box and no polygon: the model sees whole pictures, as a leaderboard gives them."
EXPECT_LESS = (
    "<strong>New pictures have no annotation</strong>: expect less there, "
    "or let a model find their regions before they are predicted."
)


def headline(parts, head):
    """The section with a head's accuracy, its other figures and the regions they were reached with."""
    figures = parts.metrics.get(head.name)
    if not figures or not figures["n"]:
        return ""
    scores = parts.scores.get(head.name)
    sure = "" if scores is None else _sureness(scores.iloc[0], parts.unit(head))
    content = lines(
        _accuracy(parts, head, figures),
        _tiles(figures),
        element("p", f"{_coverage(head, figures, parts.unit(head))} {sure}"),
        _without_annotation(parts.run, head),
        _regions(parts, figures) if head is parts.first_head else "",  # the same for all heads
        "" if scores is None else _mixes(head, figures, scores, parts.unit(head)),
    )
    return section(f"How good is it?{beside_title(parts.run.task, head)}", content)


def _accuracy(parts, head, figures):
    """The accuracy in large, beside that of the majority baseline."""
    judged = parts.unit(head) if parts.run.split == "all" else f"validation {parts.unit(head)}"
    bars = _bar("this model", "model", figures["accuracy"]) + _bar("majority baseline", "base", figures["majority"])
    beside = [
        element("p", f"of {figures['n']:,} {judged} {of_kind(head, 'right')}"),
        element("div", bars, "bars"),
        element("p", "Majority baseline: always answering the most frequent one.", "quiet"),
    ]
    accuracy = element("p", percent(figures["accuracy"]), "big")
    return element("div", accuracy + element("div", "".join(beside), "beside"), "headline")


def _bar(text, kind, value):
    track = element("div", f'<div class="{kind}" style="width:{100 * value:.1f}%"></div>', "track")
    return element("div", f"<span>{text}</span>{track}<b>{value:.3f}</b>", "row")


def _tiles(figures):
    tiles = [_tile(text, figures[key], _why(key, why, figures)) for key, text, why in TILES if _known(figures, key)]
    return element("div", "".join(tiles), "tiles")


def _known(figures, key):
    return figures.get(key) is not None


def _tile(text, value, why):
    return element("div", f"<b>{value:.3f}</b><span>{text}</span><small>{why}</small>", "tile")


def _why(key, why, figures):
    """What a figure means, or why it means little here."""
    few = key == "top3" and figures["classes_present"] <= 3
    return f"says little: {figures['classes_present']} classes occur" if few else why


def _coverage(head, figures, unit):
    """How many of the classes occur, in a sentence."""
    present, classes = figures["classes_present"], len(head.classes)
    if present == 1 and of_kind(head, "one class"):
        return of_kind(head, "one class").format(classes=classes, unit=unit)
    which = "All" if present == classes else present
    return f"{which} of the {classes} classes have {unit} here."


def _sureness(row, unit):
    """The interval of the accuracy, a row of `score_intervals`, in a sentence."""
    if row["low"] != row["low"]:
        return f"How sure the accuracy is cannot be told from {counted(row['groups'], 'group')} of {unit}."
    low, high = percent(row["low"]), percent(row["high"])
    return (
        f"With {row['n']:,} {unit} of {row['groups']:,} groups "
        f"the accuracy lies between <b>{low}</b> and <b>{high}</b> "
        "(95 % interval; photos of one look, person or original are drawn together)."
    )


def _without_annotation(run, head):
    figures = run.without_annotation.get(head.name)
    if not figures or not figures["n"]:
        return ""
    return element(
        "p",
        f"Without the annotators' boxes and polygons at test time: <b>{percent(figures['accuracy'])}</b> "
        f"(balanced {percent(figures['balanced_accuracy'])}). "
        "That is what a board whose pictures come without them would see.",
    )


def _regions(parts, figures):
    """Which regions the figures were reached with."""
    reads, regions = regions_read(parts.run.preprocess), figures.get("regions", {})
    if not reads:
        return element("p", WHOLE_PICTURES)
    shares = region_shares(regions) or "nothing is known"
    seen = f"The model sees the garment's {reads}. Of the regions in these pictures, {shares}."
    return element("p", f"{seen} {EXPECT_LESS}" if regions.get("annotation") else seen)


def _mixes(head, figures, scores, unit):
    """The natural and a balanced class mix side by side, a table of `score_intervals`."""
    rows = [
        (FIGURES[row["figure"]], with_interval(row, *NATURAL), with_interval(row, *BALANCED))
        for row in scores.to_dict("records")
    ]
    majority = of_kind(head, "majority").format(majority=percent(figures["majority"]), unit=unit)
    text = f"Between data sets figures differ by their class mix more than by the method.{majority}"
    header = ("figure", f"{unit} as they come", of_kind(head, "even mix"))
    return lines(element("h3", "In two class mixes"), element("p", text), table(header, rows))


def with_interval(row, value, low, high):
    """A figure with its interval, of a row whose names of the three are given."""
    return number(row[value], 3) + interval(row[low], row[high])
