"""What a report says of a run's answers: figures with intervals in two class mixes, class by class, calibration, and what an audit found."""

from html import escape

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.calibration import BINS, calibrate, calibration_scores, temper
from kfashion_utils.evaluation.intervals import class_intervals, score_intervals
from kfashion_utils.plots.confusion import plot_confusion
from kfashion_utils.plots.curves import plot_reliability
from kfashion_utils.reports.page import between, both, bullets, figure, of_head, percent, section, share, table
from kfashion_utils.reports.recipe import region_shares, regions_read
from kfashion_utils.tables.predictions import average_photos

SEED = 0  # of the two halves of the groups
IN_A_BIN = 20  # answers: with fewer a reliability curve shows luck
TILES = (
    ("balanced_accuracy", "balanced accuracy", "mean over the classes"),
    ("macro_f1", "macro F1", "mean over the classes"),
    ("top3", "top 3", "the truth is among three answers"),
    ("parent_accuracy", "parents", "the coarser group is right"),
)
FIGURES = {"accuracy": "accuracy", "top3": "top 3", "parent_accuracy": "parents", "macro_f1": "macro F1"}


# Headline -------------------------------------------------------------------------------------------------------------


def headline(parts, head):
    """The section with a head's accuracy, its other figures and the regions they were reached with."""
    figures = parts.metrics.get(head.name)
    if not figures or not figures["n"]:
        return ""
    scores = parts.scores.get(head.name)
    what = "with all labels right" if head.multi else "answered correctly"
    tiles = "".join(_tile(text, figures.get(key), _why(key, why, figures)) for key, text, why in TILES)
    first = next(name for name in (head.name for head in parts.task.heads) if name in parts.metrics)
    regions = f"\n<p>{_regions(parts, figures)}</p>" if head.name == first else ""  # of all heads
    return section(
        f"How good is it?{of_head(parts, head)}",
        f'<div class="headline"><p class="big">{percent(figures["accuracy"])}</p><div class="beside">'
        f"<p>of {figures['n']:,} {'validation ' * (parts.recipe.get('split') != 'all')}photos {what}</p>{_against_majority(figures)}</div></div>\n"
        f'<div class="tiles">{tiles}</div>\n<p>{_coverage(head, figures)} {_sureness(scores)}</p>{_without_annotation(parts, head)}{regions}{_mixes(head, figures, scores)}',
    )


def _without_annotation(parts, head):
    figures = parts.recipe.get("without_annotation", {}).get(head.name)
    if not figures or not figures["n"]:
        return ""
    return (
        f"\n<p>Without the annotators' boxes and polygons at test time: <b>{percent(figures['accuracy'])}</b> (balanced "
        f"{percent(figures['balanced_accuracy'])}). That is what a board whose pictures come without them would see.</p>"
    )


def _why(key, why, figures):
    return (
        f"says little: {figures['classes_present']} classes occur"
        if key == "top3" and figures["classes_present"] <= 3
        else why
    )


def _coverage(head, figures):
    present = figures["classes_present"]
    if present == 1 and not head.multi:
        return f"<strong>Only one of the {len(head.classes)} classes occurs among these photos</strong>: always answering it would be right every time, so these figures tell nothing."
    which = "all" if present == len(head.classes) else f"{present}"
    return f"{which.capitalize()} of the {len(head.classes)} classes have photos here."


def _sureness(scores):
    if scores is None:
        return ""
    row = scores.iloc[0]
    if row["low"] != row["low"]:
        return f"How sure the accuracy is cannot be told from {row['groups']:,} group{'s' * int(row['groups'] > 1)} of photos."
    return (
        f"With {row['n']:,} photos of {row['groups']:,} groups the accuracy lies between <b>{percent(row['low'])}</b> and <b>{percent(row['high'])}</b> "
        "(95 % interval; photos of one look, person or original are drawn together)."
    )


def _tile(text, value, why):
    if value is None:
        return ""
    return f'<div class="tile"><b>{value:.3f}</b><span>{text}</span><small>{why}</small></div>'


def _against_majority(figures):
    bars = "".join(
        f'<div class="row"><span>{text}</span><div class="track"><div class="{name}" style="width:{100 * value:.1f}%"></div></div><b>{value:.3f}</b></div>'
        for text, name, value in (
            ("this model", "model", figures["accuracy"]),
            ("majority baseline", "base", figures["majority"]),
        )
    )
    return (
        f'<div class="bars">{bars}</div><p class="quiet">Majority baseline: always answering the most frequent one.</p>'
    )


def _regions(parts, figures):
    reads = regions_read(parts.preprocess)
    if not reads:
        return "This recipe reads no box and no polygon: the model sees whole pictures, as a leaderboard gives them."
    shares = region_shares(figures.get("regions", {}))
    text = (
        f"The model sees the garment's {' and '.join(reads)}. Of these photos' regions, {shares or 'nothing is known'}."
    )
    if figures.get("regions", {}).get("annotation"):
        text += " <strong>New pictures have no annotation</strong>: expect less there, or find their regions with a finder first."
    return text


def _mixes(head, figures, scores):
    """The natural and a balanced class mix side by side."""
    if scores is None:
        return ""
    even = "recall and specificity, mean over the classes" if head.multi else "every class as often"
    rows = [
        (
            FIGURES[row["figure"]],
            _cell(row, "natural", "low", "high"),
            _cell(row, "balanced", "balanced_low", "balanced_high"),
        )
        for row in scores.to_dict("records")
    ]
    text = (
        ""
        if head.multi
        else f" As they come, {percent(figures['majority'])} of these photos are of the most frequent class; a board may count every class the same."
    )
    return f"\n<h3>In two class mixes</h3><p>Figures on other data differ by class mix first and by method second.{text}</p>{table(('figure', 'photos as they come', even), rows)}"


def _cell(row, value, low, high):
    return "–" if row[value] != row[value] else f"{row[value]:.3f}{between(row[low], row[high])}"


# Classes --------------------------------------------------------------------------------------------------------------


def classes(parts, head):
    """The section with one row a class and the confusion."""
    if head.name not in parts.judged:
        return ""
    found = class_intervals(parts.of_head(head), parts.catalog, head.name).assign(parent=head.parents or "")
    there = (found["n"] > 0) | (found["answered"] > 0)
    used, unused = found[there].sort_values("n", ascending=False, kind="stable"), found["class"][~there]
    rest = (
        f'<p class="quiet">{len(unused)} more without a validation photo and never answered: {", ".join(map(both, unused))}.</p>'
        if len(unused)
        else ""
    )
    text = '<p class="quiet">Recall: how many photos of the class are found. Precision: how many answers of it are right. Beside each its 95 % interval, where one can be told.</p>'
    return section(
        f"Class by class: {both(head.name)}",
        f"{text}{_class_rows(used, bool(head.parents))}{rest}{_confusion(parts, head)}",
    )


def _class_rows(found, with_parent):
    header = "".join(
        f"<th>{text}</th>"
        for text in ["class", *(["parent"] if with_parent else []), "photos", "recall", "precision", "F1"]
    )
    lines = []
    for row in found.to_dict("records"):
        parent = f'<td class="parent">{both(row["parent"])}</td>' if with_parent else ""
        small = f'<small class="under">{both(row["parent"])}</small>' if with_parent else ""
        shares = [
            f"<td>{share(row[name])}{between(row[f'{name}_low'], row[f'{name}_high'], 2)}</td>"
            for name in ("precision", "f1")
        ]
        recall = f'<td class="recall">{_meter(row["recall"])}{between(row["recall_low"], row["recall_high"], 2)}</td>'
        lines.append(
            f'<tr><th scope="row">{both(row["class"])}{small}</th>{parent}<td>{row["n"]:,}</td>{recall}{"".join(shares)}</tr>'
        )
    kind = f"classes{' parents' if with_parent else ''}"
    return f'<div class="scroll" tabindex="0"><table class="{kind}"><thead><tr>{header}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _meter(value):
    return (
        "–"
        if value != value
        else f'<span class="meter"><span style="width:{100 * value:.0f}%"></span></span>{value:.2f}'
    )


def _confusion(parts, head):
    text = (
        "Each row holds the photos of one true class; a dark cell off the diagonal is what it is mistaken for."
        if not head.multi
        else "Each row holds the photos that have a class, each column a class that was answered for them."
    )
    return f"<h3>What is taken for what</h3><p>{text}</p>{figure(plot_confusion(parts.predictions, parts.catalog, head), 'Confusion of ' + head.name)}"


# Calibration ----------------------------------------------------------------------------------------------------------


def calibration(parts, head):
    """The section on whether probabilities mean what they say, before and after temperature scaling."""
    if head.name not in parts.judged:
        return ""
    photos = average_photos(parts.of_head(head))
    text = "On the diagonal an answer given with 0.8 is right in 8 of 10 photos."
    try:
        after, temperatures = cross_temper(photos, parts.catalog)
        text += (
            f" Dividing log-probabilities by one number, the temperature ({' and '.join(f'{value:.2f}' for value in temperatures)}; above 1 = it was too sure), "
            "changes no answer. Each half of the groups was given the temperature that the other half asks for, so it is judged on photos that it was not fitted to."
        )
    except InputError as error:
        after = None
        text += f" No temperature could be fitted: {escape(str(error))}"
    bins = int(np.clip(parts.judged[head.name]["n"] // IN_A_BIN, 3, BINS))
    drawn = plot_reliability(photos, parts.catalog, head.name, after=after, bins=bins)
    return section(
        f"How sure may one be?{of_head(parts, head)}",
        f"<p>{text}</p>{_errors(photos, after, parts.catalog, bins)}{figure(drawn, 'Reliability')}",
    )


def cross_temper(photos, catalog, seed=SEED):
    """Predictions of one head with a temperature fitted on photos of other groups: each half of the groups is given that of the other half.

    Args:
        photos: predictions table of one head, one row a photo.
        catalog: table with the truth.
        seed: of the halves.

    Returns:
        (predictions in the same order, the two temperatures).

    Raises:
        InputError: one group, or a half whose photos all have the same label.
    """
    groups = catalog.drop_duplicates("id").set_index("id")["group"].loc[photos["id"]].to_numpy(str)
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    if len(names) < 2:
        raise InputError(
            "all photos are of one group, and a temperature is judged on other groups than those it is fitted to"
        )
    first = np.isin(groups, names[: len(names) // 2])
    fitted = {half: calibrate(photos[first == half], catalog) for half in (True, False)}
    tempered = pd.concat([temper(photos[first == half], fitted[not half]) for half in (True, False)]).sort_index()
    return tempered, [next(iter(fitted[half].values())) for half in (False, True)]


def _errors(photos, after, catalog, bins):
    tables = {"as predicted": photos} | ({} if after is None else {"with a temperature": after})
    rows = []
    for name, judged in tables.items():
        scores = calibration_scores(judged, catalog, bins=bins).iloc[0]
        rows.append(
            (
                name,
                f"{scores['ece']:.3f}",
                f"{scores['confidence']:.3f}",
                f"{scores['accuracy']:.3f}",
                f"{scores['log_loss']:.3f}",
            )
        )
    return table(("probabilities", "ECE (0 is best)", "how sure", "how right", "log loss"), rows)


# Audit ----------------------------------------------------------------------------------------------------------------


def audited(parts):
    """The section on what `kfashion audit` found, and the scores without photos that training has seen in another form."""
    found = parts.audit
    if found is None:
        return ""
    judged = set() if parts.predictions is None else set(parts.predictions["id"])
    counts = _counts(found["findings"].rename(columns={"finding": "kind"}), judged)
    counts += _counts(
        found["pairs"].assign(kind="pairs: " + found["pairs"]["how"], detail=found["pairs"]["other"]), judged
    )
    if "label_errors" in found:
        errors = found["label_errors"]
        counts += _counts(
            errors.assign(
                kind="likely wrong labels: " + errors["column"], detail=errors["label"] + " → " + errors["suggestion"]
            ),
            judged,
        )
    text = (
        "<p>It looked at the whole catalog and found nothing.</p>"
        if not counts
        else table(("found", "how often", "validation photos", "for example"), counts)
    )
    return section(
        "What the audit found",
        text + "".join(_near(parts, head) for head in parts.task.heads if head.name in parts.judged),
    )


def _counts(found, judged):
    """One row a kind of finding: name, count, how many judged rows it touches, an example; of a table `id, kind, detail`, and `other` of pairs."""
    rows = []
    for kind, some in found.groupby("kind", sort=False):
        first, named = some.iloc[0], set(some["id"]).union(some.get("other", ()))
        rows.append(
            (
                escape(kind),
                f"{len(some):,}",
                f"{len(named & judged):,}",
                escape(f"{first['id']} {first['detail']}".strip()),
            )
        )
    return rows


def _near(parts, head):
    """Scores with and without near-duplicates of training pictures."""
    title = f"<h3>With and without near-duplicates of training pictures{of_head(parts, head)}</h3>"
    pairs = parts.audit["pairs"]
    if not (pairs["id"].isin(parts.predictions["id"]) | pairs["other"].isin(parts.predictions["id"])).any():
        return f"{title}<p>No validation photo is in a pair: nothing has to be left out.</p>"
    scores = score_intervals(parts.of_head(head), parts.catalog, near=pairs)
    scores = scores[scores["figure"] == "accuracy"].set_index("photos", drop=False)
    if not scores.loc["near-duplicates", "n"]:
        return f"{title}<p>The pairs of validation photos are within the validation photos: none has a near-duplicate in training, nothing has to be left out.</p>"
    rows = [
        (
            row["photos"],
            f"{row['n']:,}",
            *(
                _cell(row, *names)
                for names in (("natural", "low", "high"), ("balanced", "balanced_low", "balanced_high"))
            ),
        )
        for row in scores.to_dict("records")
    ]
    note = "A photo counts as seen if the audit's pairs lead from it to a row that is not a validation row; give the full catalog (--catalog), and only train rows count."
    return title + table(("photos", "how many", "accuracy", "balanced accuracy"), rows) + bullets([note])
