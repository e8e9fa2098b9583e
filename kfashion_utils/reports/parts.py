"""What of a run a report can read, and in words what it cannot."""

import math
from functools import cached_property
from pathlib import Path

import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.figures import evaluate
from kfashion_utils.evaluation.intervals import score_intervals
from kfashion_utils.reports.audit import read_audit
from kfashion_utils.reports.heat import find_heat
from kfashion_utils.runs.run import FileChanged
from kfashion_utils.tables.catalog import complete_catalog
from kfashion_utils.tables.predictions import average_photos

COMPARED = ("n", "accuracy", "balanced_accuracy", "macro_f1")  # figures that tell whether two catalogs are the same
NEEDS_TRUTH = "class table, intervals, confusion, calibration and pictures, which need the truth"
NO_PHOTOS = (
    "predictions.csv has no row: there were no validation photos; split the catalog (`kfashion split`) and train again"
)
OTHER_CATALOG = (
    "This is not the catalog the run was trained with: "
    "its own metrics.json holds other figures than those computed here."
)


class Parts:
    """What of a run could be read.

    Args:
        run: Run.
        catalog: DataFrame with the truth of the predicted rows; None = the one the run kept.
        root: folder of its pictures; None = the one the run was trained from.
        audit: folder of an audit; None = none.
        heat: whether to look for where the network looked.

    Attributes:
        run: its record is readable.
        missing: what could not be read, a list of texts; `changed`: those of files that training did not write so.
        history, predictions, catalog: DataFrames; None = missing.
        judged: {head name: figures}, computed from predictions and catalog.
        scores: {head name: table of `score_intervals`}, of the judged heads.
        metrics: `judged`, and the run's own figures of the other heads.
        root: Path of the photographs' folder; None = missing, or nothing was judged.
        audit: of `read_audit`; None = not asked for, or missing.
        heat: of `find_heat`; None = not asked for, or missing.

    Raises:
        InputError: the run has no usable record.
    """

    def __init__(self, run, catalog=None, root=None, audit=None, heat=True):
        _require_record(run)
        self.run, self.missing, self.changed, self.judged, self.scores = run, [], [], {}, {}
        self.history = self._optional("learning curves", self._read_history)
        self.predictions = self._optional("predictions", self._read_predictions)
        self.catalog = self._optional(
            NEEDS_TRUTH, lambda: run.catalog if catalog is None else complete_catalog(catalog)
        )
        self.metrics = self._figures()
        self.root = self._find_root(run.root if root is None else Path(root)) if self.judged else None
        self.audit = self.heat = None
        if audit is not None:
            self.audit = self._optional("audit's findings", lambda: read_audit(Path(audit), self._ids))
        if heat and self.root is not None:
            self.heat = self._optional("heat maps (where it looked)", lambda: find_heat(self))

    # Heads ------------------------------------------------------------------------------------------------------------

    def head(self, name):
        """The Head of that name."""
        return next(head for head in self.run.task.heads if head.name == name)

    @cached_property
    def first_head(self):
        """The first Head that has figures; None = there are none."""
        return next((head for head in self.run.task.heads if head.name in self.metrics), None)

    def unit(self, head):
        """What the figures of a head count: `photos`, or `rows` where its label differs between those of a photo."""
        return "rows" if self.metrics[head.name].get("by_row") else "photos"

    def of_head(self, head):
        """The predictions table of one head alone."""
        return self.predictions[["id", "photo", head.name, *head.columns]]

    def averaged(self, head):
        """The same, one row a photo, unless the head is judged by row."""
        by_row = [head.name] if self.unit(head) == "rows" else []
        return average_photos(self.of_head(head), by_row)

    # Reading ----------------------------------------------------------------------------------------------------------

    def _optional(self, what, read):
        try:
            return read()
        except (ValueError, OSError, KeyError) as error:
            self.missing.append(f"No {what}: {error}")
            self.changed += [str(error)] * isinstance(error, FileChanged)
            return None

    def _read_history(self):
        try:
            return self.run.history
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise InputError(f"{self.run.path / 'history.csv'} is not a CSV table: {error}") from error

    def _read_predictions(self):
        predictions = self.run.predictions
        wanted = {"id", "photo", *self.run.task.columns, *(head.name for head in self.run.task.heads)}
        lacking = sorted(wanted - set(predictions.columns))
        if lacking:
            raise InputError(f"predictions.csv does not fit the task in run.json, it has no column {lacking[:5]}")
        if predictions.empty:
            raise InputError(NO_PHOTOS)
        return predictions

    @property
    def _ids(self):
        return [] if self.predictions is None else self.predictions["id"].tolist()

    def _figures(self):
        """Judge every head that can be judged; the run's own figures stand for the others."""
        stored = self._optional("figures of a finished training", lambda: self.run.metrics) or {}
        if self.catalog is not None and self.predictions is not None:
            for head in self.run.task.heads:
                self._optional(f"truth for {head.name!r}", lambda head=head: self._judge(head))
        if not all(_agree(stored[name], figures) for name, figures in self.judged.items() if name in stored):
            self.missing.append(OTHER_CATALOG)
        return {**stored, **self.judged}

    def _judge(self, head):
        answers = self.of_head(head)
        self.judged |= evaluate(answers, self.catalog)
        self.scores[head.name] = score_intervals(answers, self.catalog)

    def _find_root(self, root):
        if root is None:
            self.missing.append("No pictures: the folder of the photographs was not given (root).")
            return None
        if not root.is_dir():
            self.missing.append(
                f"No pictures: there is no folder {root} here; give the one that holds the photographs."
            )
            return None
        return root


def _require_record(run):
    try:
        run.record  # noqa: B018 - it is read here
    except (KeyError, TypeError, AttributeError, InputError) as error:
        raise InputError(f"{run.path / 'run.json'} is not the record of a run: {error}") from error


def _agree(stored, computed):
    """Whether two figures of a head are of the same rows, as far as one can tell: older versions judged every head by
    photo, and such figures are not compared with those by row."""
    if stored is None:
        return False
    if stored.get("by_row") != computed.get("by_row"):
        return True
    return all(_equal(stored.get(key), computed[key]) for key in COMPARED)


def _equal(stored, computed):
    return stored == computed or math.isclose(stored or -1, computed or -1, abs_tol=1e-6)
