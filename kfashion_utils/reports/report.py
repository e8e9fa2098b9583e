"""`report`: a run folder -> one self-contained HTML page that says what was done, how good it is, and how to repeat it.

No network, no script: styles inline, figures and pictures as base64. Equal input gives equal bytes. What is missing is said in words
on the page. Beware before sharing: a page with pictures holds up to 32 of the run's photographs.
"""

import math
from html import escape
from pathlib import Path

import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.figures import evaluate
from kfashion_utils.evaluation.intervals import score_intervals
from kfashion_utils.evaluation.label_errors import LABEL_ERRORS
from kfashion_utils.plots.curves import plot_history
from kfashion_utils.reports.page import both, bullets, figure, page, section
from kfashion_utils.reports.pictures import find_heat, pictures, where_it_looked
from kfashion_utils.reports.recipe import board_rules, how_to_repeat, what_was_done
from kfashion_utils.reports.scores import audited, calibration, classes, headline
from kfashion_utils.runs.run import Run
from kfashion_utils.storage.files import write_text
from kfashion_utils.tables.catalog import complete_catalog, read_catalog

AUDIT = {
    "findings": ("id", "finding", "detail"),
    "pairs": ("id", "other", "how"),
}  # tables of an audit's folder and the columns that are read
WRONG_LABELS = (
    "id",
    "column",
    "label",
    "suggestion",
)  # the same of the table that is there if labels were audited, too


def report(run, catalog=None, root=None, out=None, *, audit=None, heat=True):
    """Write the page of a run.

    Args:
        run: a Run, or the path of its folder.
        catalog: DataFrame (or path) with the truth of the predicted rows; None = the one the run kept.
        root: folder of its pictures; None = the one the run was trained from.
        out: the page to write; None = `report.html` in the run's folder.
        audit: folder that `kfashion audit` wrote; None = none.
        heat: show where the network looked on a few pictures; needs the run's weights and loads Keras.

    Returns:
        Path of the page.

    Raises:
        InputError: the folder has no readable `run.json`, or `catalog` is a path without a catalog. Anything else that is missing
            is named on the page.
    """
    run = run if isinstance(run, Run) else Run(run)
    parts = _Parts(run, catalog, root, audit, heat)
    out = Path(out) if out is not None else run.path / "report.html"
    write_text(out, page(f"{parts.task.name}: {run.path.resolve().name}", _lead(parts), _sections(parts)))
    return out


class _Parts:
    """What of a run could be read; `missing` says in words what could not.

    Attributes:
        metrics: {head name: figures}, computed from the catalog where there is one, else the run's own.
        judged: the figures of `metrics` that were computed here.
        scores: {head name: table of `score_intervals`}, of the judged heads.
        audit: {name: DataFrame} of the audit's tables; None = none.
        heat: of `find_heat`; None = not asked for, or missing.
    """

    def __init__(self, run, catalog, root, audit, heat):
        self.run, self.recipe = run, run.recipe
        self.task, self.preprocess, self.config = _recipe_values(run)
        self.missing = []
        self.history = self._optional("learning curves", self._read_history)
        self.predictions = self._optional("predictions", lambda: self._checked(run.predictions))
        if isinstance(catalog, (str, Path)):
            catalog = read_catalog(catalog)
        read = (lambda: run.catalog) if catalog is None else (lambda: complete_catalog(catalog))
        self.catalog = self._optional(
            "class table, intervals, confusion, calibration and pictures, which need the truth", read
        )
        self.judged, self.scores = {}, {}
        self.metrics = self._figures()
        self.root = self._root(root)
        self.audit = (
            None if audit is None else self._optional("audit's findings", lambda: self._read_audit(Path(audit)))
        )
        self.heat = (
            self._optional("heat maps (where it looked)", lambda: find_heat(self))
            if heat and self.root is not None
            else None
        )

    def of_head(self, head):
        """The predictions table of one head alone."""
        return self.predictions[["id", "photo", head.name, *head.columns]]

    def _optional(self, what, read):
        try:
            return read()
        except (ValueError, OSError, KeyError) as error:
            self.missing.append(f"No {what}: {error}")
            return None

    def _read_history(self):
        try:
            return self.run.history
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise InputError(f"{self.run.path / 'history.csv'} is not a CSV table: {error}") from error

    def _checked(self, predictions):
        wanted = {"id", "photo", *self.task.columns}
        lacking = sorted(wanted - set(predictions.columns))
        if lacking:
            raise InputError(f"predictions.csv does not fit the task in run.json, it has no column {lacking[:5]}")
        if predictions.empty:
            raise InputError(
                "predictions.csv has no row: there were no validation photos; split the catalog (`kfashion split`) and train again"
            )
        return predictions

    def _figures(self):
        stored = self._optional("figures of a finished training", lambda: self.run.metrics) or {}
        if self.catalog is not None and self.predictions is not None:
            for head in self.task.heads:
                self._optional(f"truth for {head.name!r}", lambda head=head: self._judge(head))
        if any(name in stored and not _same(stored[name], figures) for name, figures in self.judged.items()):
            self.missing.append(
                "This is not the catalog the run was trained with: its own metrics.json holds other figures than those computed here."
            )
        return {**stored, **self.judged}

    def _judge(self, head):
        self.judged |= evaluate(self.of_head(head), self.catalog)
        self.scores[head.name] = score_intervals(self.of_head(head), self.catalog)

    def _root(self, root):
        if not self.judged:
            return None
        if root is None and "root" not in self.recipe:
            self.missing.append("No pictures: the folder of the photographs was not given (root).")
            return None
        root = Path(root if root is not None else self.recipe["root"])
        if not root.is_dir():
            self.missing.append(
                f"No pictures: there is no folder {root} here; give the one that holds the photographs (--root)."
            )
            return None
        return root

    def _read_audit(self, folder):
        tables = {name: _read_table(folder / f"{name}.csv", columns) for name, columns in AUDIT.items()}
        audited = _read_table(folder / "catalog.csv", None).set_index("id")
        unknown = (
            [] if self.predictions is None else [name for name in self.predictions["id"] if name not in audited.index]
        )
        if unknown:
            raise InputError(
                f"{folder} is of another catalog: it lacks {len(unknown):,} of {len(self.predictions):,} validation rows, for example id {unknown[0]!r}"
            )
        if not (folder / LABEL_ERRORS).is_file():
            return tables
        errors = _read_table(folder / LABEL_ERRORS, WRONG_LABELS)
        there = [
            row.id in audited.index and audited.get(row.column, {}).get(row.id) == row.label
            for row in errors.itertuples()
        ]
        return tables | {"label_errors": errors[there]}  # without those that edits have put right


def _recipe_values(run):
    try:
        return run.task, run.preprocess, run.config
    except (KeyError, TypeError, AttributeError, InputError) as error:
        raise InputError(f"{run.path / 'run.json'} is no recipe of a run: {error}") from error


def _read_table(path, columns):
    if not path.is_file():
        raise InputError(f"there is no {path}; make it with: kfashion audit CATALOG --root DIR --out {path.parent}")
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, usecols=columns)
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is not a table of an audit: {error}") from error


def _same(stored, computed):
    keys = ("n", "accuracy", "balanced_accuracy", "macro_f1")
    return stored is not None and all(
        stored.get(key) == computed[key] or math.isclose(stored.get(key) or -1, computed[key] or -1, abs_tol=1e-6)
        for key in keys
    )


# The page -------------------------------------------------------------------------------------------------------------


def _sections(parts):
    yield _missing(parts.missing)
    yield from (headline(parts, head) for head in parts.task.heads)
    yield what_was_done(parts)
    yield board_rules(parts)
    yield _learning(parts.history)
    for head in parts.task.heads:
        yield classes(parts, head)
        yield calibration(parts, head)
    yield audited(parts)
    yield pictures(parts)
    yield where_it_looked(parts)
    yield how_to_repeat(parts)


def _lead(parts):
    rows = parts.recipe.get("catalog", {}).get("rows", {})
    learned = sum(rows.values()) if parts.recipe.get("split") == "all" else rows.get("train")
    heads = ", ".join(f"{both(head.name)} ({len(head.classes)} classes)" for head in parts.task.heads)
    return f"{escape(parts.config.backbone)}{f', trained on {learned:,} rows' if learned else ''}; {heads}. {_judged(parts.recipe)}"


def _judged(recipe):
    if recipe.get("split") == "all":
        return "It learned from every row; every figure on this page is out of fold: each row was judged by a head that saw nothing of its group."
    return "Every figure on this page is of the validation rows, which the model did not learn from."


def _missing(missing):
    return section("What is missing here", bullets(map(escape, missing)), "note") if missing else ""


def _learning(history):
    if history is None:
        return ""
    try:
        drawn = plot_history(history)
    except InputError as error:
        return section("Learning curves", f"<p>{escape(str(error))}</p>")
    text = (
        "The network was not fine-tuned, so there is one step: the head solved on frozen features."
        if len(history) == 1 and history["epoch"].iloc[0] == 0
        else ""
    )
    return section(
        "Learning curves", f"{f'<p>{text}</p>' if text else ''}{figure(drawn, 'Loss and accuracy by epoch')}"
    )
