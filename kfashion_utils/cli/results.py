"""The verbs about results: one thin function a verb."""

import json as json_module
from pathlib import Path
from typing import Literal

import pandas as pd

import kfashion_utils as kf
from kfashion_utils.cli.options import read_pairs
from kfashion_utils.evaluation.submission import FALLBACK
from kfashion_utils.storage.files import write_json, write_table
from kfashion_utils.tables.predictions import provenance

TOLD = 20_000  # predictions from which comparing takes seconds


def evaluate(
    predictions: Path,
    /,
    *,
    catalog: Path,
    json: Path | None = None,
    rows: bool = False,
    near: Path | None = None,
    tables: Path | None = None,
):
    """Figures of predictions against a catalog with 95 % intervals, beside the majority baseline.

    Args:
        predictions: the table to judge.
        catalog: the table with the truth.
        json: also write the figures there.
        rows: judge each row instead of each photo.
        near: a CSV of near-duplicates, pairs of ids in its first two columns: also judge without photos that training
            has seen.
        tables: a folder for the tables behind it: scores.csv, classes.csv, reliability.csv.
    """
    from kfashion_utils.evaluation.intervals import figure_intervals

    table, truth = kf.read_predictions(predictions), kf.read_catalog(catalog)
    figures = kf.evaluate(table, truth, rows=rows)
    scores = kf.score_intervals(table, truth, rows=rows, near=read_pairs(near) if near else ())
    intervals = figure_intervals(scores)
    for head, values in figures.items():
        print(f"{head}: {kf.describe(values, intervals.get(head))}")
    _print_subsets(scores)
    if json:
        write_json(json, figures)
    if tables:
        heads = [head for head, values in figures.items() if values["n"]]
        _write_tables(tables, scores, table, truth, heads, rows)


def _print_subsets(scores):
    """The accuracy with and without near-duplicates, where they are known."""
    chosen = (scores["figure"] == "accuracy") & (scores["photos"] != "all") & (scores["n"] > 0)
    for line in scores[chosen].to_dict("records"):
        accuracy = f"{line['natural']:.3f} ({line['low']:.3f}–{line['high']:.3f})"
        print(
            f"  {line['head']}, {line['photos']}: accuracy {accuracy}, "
            f"balanced {line['balanced']:.3f}, {line['n']:,} photos"
        )


def _write_tables(folder, scores, predictions, catalog, heads, rows):
    from kfashion_utils.evaluation.calibration import reliability

    def of_heads(function):
        return pd.concat([function(predictions, catalog, head, rows=rows).assign(head=head) for head in heads])

    write_table(folder / "scores.csv", scores)
    write_table(folder / "classes.csv", of_heads(kf.class_intervals))
    write_table(folder / "reliability.csv", of_heads(reliability))


def submit(
    predictions: Path,
    /,
    *,
    template: Path,
    out: Path,
    labels: Literal["index", "name", "english"] | None = None,
    fallback: str | None = None,
):
    """Write the leaderboard's file in the form of its sample submission.

    Args:
        predictions: the table to submit.
        template: the leaderboard's sample submission.
        out: the file to write.
        labels: how labels are written; default: as in the template.
        fallback: what rows without a prediction get, because their picture could not be read: majority = the most
            frequent class in training, or a class; default: they are refused.
    """
    source = kf.read_predictions(predictions)
    if len(source) > TOLD:
        print(f"comparing {len(source):,} predictions with {template} …", flush=True)
    table = kf.write_submission(source, template, out, labels=labels, fallback=fallback)
    print(f"{out}: {len(table):,} rows, columns {', '.join(table.columns)}; checked against {template}")
    if provenance(source):  # what lies beside another table of that name is not read
        told = json_module.loads(kf.provenance_path(predictions).read_text(encoding="utf-8"))
        write_json(
            kf.provenance_path(out), told | {name: table.attrs[name] for name in table.attrs if name == FALLBACK}
        )
        _print_provenance(told)
        print(f"  what a board's rules ask for is in {kf.provenance_path(out)}")
    else:
        kf.provenance_path(out).unlink(missing_ok=True)


def _print_provenance(told):
    for run in told.get("runs", ()):
        shares = ", ".join(f"{name} {share:.0%}" for name, share in run["regions_here"].items())
        found = shares if run["reads_regions"] else "none is read"
        print(f"  {run['run']}: {run['backbone']}, weights {run['weights']}; regions of these pictures by: {found}")


def report(
    run: Path,
    /,
    *,
    catalog: Path | None = None,
    root: Path | None = None,
    out: Path | None = None,
    audit: Path | None = None,
    heat: bool = True,
    language: Literal["en", "ko"] | None = None,
):
    """One self-contained HTML page about a run.

    Args:
        run: the run's folder.
        catalog: the table with the truth; default: the one the run kept.
        root: folder of its pictures; default: the one the run was trained from.
        out: the page to write; default: report.html in the run's folder.
        audit: a folder that `kfashion audit` wrote: its findings, and the scores without near-duplicates.
        heat: show where the network looked; loads Keras.
        language: of the page; default: Korean where the classes have Korean names.
    """
    truth = kf.read_catalog(catalog) if catalog else None
    print(kf.report(run, catalog=truth, root=root, out=out, audit=audit, heat=heat, language=language))


def runs(
    folder: Path,
    /,
    *,
    by: Literal["accuracy", "balanced", "macro_f1"] = "accuracy",
    head: str | None = None,
    out: Path | None = None,
):
    """The local leaderboard: one row a run, best first, with what differs between their recipes.

    Args:
        folder: holds the run folders.
        by: figure of the validation rows that is sorted by.
        head: whose figures; default: the first of each run.
        out: also write the table there, .csv.
    """
    from kfashion_utils.runs.table import describe_runs

    table = kf.runs_table(folder, by=by, head=head)
    print(describe_runs(table))
    if out:
        write_table(out, table)
