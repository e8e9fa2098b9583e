"""Class by class: how often each is found, how often an answer of it is right, and what it is mistaken for."""

from kfashion_utils.evaluation.intervals import class_intervals
from kfashion_utils.plots.confusion import plot_confusion
from kfashion_utils.reports.page import element, figure, lines, row_name, scrolled_table, section
from kfashion_utils.reports.wording import both, interval, number, of_kind

EXPLAINED = (
    "Recall: the share of the class's {unit} that are found. Precision: the share of its answers that are right. "
    "Beside each its 95 % interval, where one can be computed."
)


def classes(parts, head):
    """The section with one row a class and the confusion."""
    if head.name not in parts.judged:
        return ""
    unit = parts.unit(head)
    found = class_intervals(parts.of_head(head), parts.catalog, head.name).assign(parent=head.parents or "")
    occurs = (found["n"] > 0) | (found["answered"] > 0)
    content = lines(
        element("p", EXPLAINED.format(unit=unit), "quiet"),
        _class_table(found[occurs].sort_values("n", ascending=False, kind="stable"), bool(head.parents), unit),
        _unused(found["class"][~occurs], unit),
        element("h3", "What is taken for what"),
        element("p", of_kind(head, "confusion").format(unit=unit)),
        figure(plot_confusion(parts.of_head(head), parts.catalog, head), f"Confusion of {head.name}"),
    )
    return section(f"Class by class: {both(head.name)}", content)


def _unused(names, unit):
    if names.empty:
        return ""
    listed = ", ".join(map(both, names))
    return element("p", f"{len(names)} more classes have no {unit} here and were never answered: {listed}.", "quiet")


def _class_table(found, with_parent, unit):
    parent = ["parent"] if with_parent else []
    header = ["class", *parent, unit, "recall", "precision", "F1"]
    kind = "classes parents" if with_parent else "classes"
    return scrolled_table(header, [_class_row(row, with_parent) for row in found.to_dict("records")], kind)


def _class_row(row, with_parent):
    """The cells of one class; on a phone its parent stands below its name."""
    below = element("small", both(row["parent"]), "under") if with_parent else ""
    parent = element("td", both(row["parent"]), "parent") if with_parent else ""
    name = row_name(both(row["class"]) + below)
    recall = element("td", _meter(row["recall"]) + _interval_of(row, "recall"), "recall")
    shares = [element("td", number(row[share], 2) + _interval_of(row, share)) for share in ("precision", "f1")]
    return f"{name}{parent}<td>{row['n']:,}</td>{recall}{''.join(shares)}"


def _interval_of(row, share):
    return interval(row[f"{share}_low"], row[f"{share}_high"], 2)


def _meter(value):
    """A share as a bar and a number; a dash where it is unknown."""
    if value != value:
        return number(value, 2)
    bar = f'<span style="width:{100 * value:.0f}%"></span>'
    return element("span", bar, "meter") + number(value, 2)
