"""`report`: a run folder -> one self-contained HTML page that says what was done, how good it is, and how to repeat it.

No network, no script: styles inline, figures and pictures as base64. Equal input gives equal bytes. What is missing is
said in words on the page. Beware before sharing: a page with pictures holds up to 32 of the run's photographs.
"""

import re
from html import escape
from pathlib import Path

from kfashion_utils.errors import InputError, listing, refuse
from kfashion_utils.output import say
from kfashion_utils.plots.curves import plot_history
from kfashion_utils.plots.style import font_for
from kfashion_utils.reports.audit import audited
from kfashion_utils.reports.calibration import calibration
from kfashion_utils.reports.classes import classes
from kfashion_utils.reports.command import how_to_repeat
from kfashion_utils.reports.headline import headline
from kfashion_utils.reports.heat import where_it_looked
from kfashion_utils.reports.korean import in_korean
from kfashion_utils.reports.page import bullets, element, figure, lines, page, section
from kfashion_utils.reports.parts import Parts
from kfashion_utils.reports.pictures import pictures
from kfashion_utils.reports.rules import board_rules, what_was_done
from kfashion_utils.reports.wording import both, counted
from kfashion_utils.runs.run import Run
from kfashion_utils.storage.files import write_text
from kfashion_utils.tables.catalog import read_catalog

OF_VALIDATION = "Every figure on this page is of the validation rows, which the model did not learn from."
OUT_OF_FOLD = (
    "It learned from every row; every figure on this page is out of fold: "
    "each row was judged by a classifier that had not seen its group."
)
LANGUAGES = (None, "en", "ko")
HANGUL = re.compile("[가-힣]")
SOLVED = "The network was not fine-tuned, so there is one step: the classifier solved on frozen features."


def report(run, catalog=None, root=None, out=None, *, audit=None, heat=True, language=None):
    """Write the page of a run.

    Args:
        run: a Run, or the path of its folder.
        catalog: DataFrame (or path) with the truth of the predicted rows; None = the one the run kept.
        root: folder of its pictures; None = the one the run was trained from.
        out: the page to write; None = `report.html` in the run's folder.
        audit: folder that `kfashion audit` wrote; None = none.
        heat: show where the network looked on a few pictures; needs the run's weights and loads Keras.
        language: `en`, `ko`, or None = Korean where the classes have Korean names.

    Returns:
        Path of the page.

    Raises:
        InputError: the folder has no readable `run.json`, or `catalog` is a path without a catalog; after the page is
            written, that a file of the run is not the one which training wrote. Anything else that is missing is named
            on the page, and told.
    """
    if language not in LANGUAGES:
        raise InputError(f"language={language!r}: expected one of {LANGUAGES}")
    run = run if isinstance(run, Run) else Run(run)
    catalog = read_catalog(catalog) if isinstance(catalog, (str, Path)) else catalog
    parts = Parts(run, catalog, root, audit, heat)
    out = Path(out) if out is not None else run.path / "report.html"
    title = f"{run.task.name}: {run.path.resolve().name}"
    with font_for([name for head in run.task.heads for name in (head.name, *head.classes)]):
        document = page(title, _lead(run), _sections(parts))
        write_text(out, in_korean(document) if (language or _own_language(run)) == "ko" else document)
    refuse(f"{out} was written without what these files hold", parts.changed)
    if parts.missing:
        say(f"{out} lacks, and says so:\n{listing(parts.missing)}")
    return out


def _own_language(run):
    """The language of a run's classes."""
    return "ko" if any(HANGUL.search(name) for head in run.task.heads for name in head.classes) else "en"


def _sections(parts):
    heads = parts.run.task.heads
    yield _missing(parts.missing)
    yield from (headline(parts, head) for head in heads)
    yield what_was_done(parts.run)
    yield board_rules(parts.run)
    yield _learning(parts.history)
    for head in heads:
        yield classes(parts, head)
        yield calibration(parts, head)
    yield audited(parts)
    yield pictures(parts)
    yield where_it_looked(parts)
    yield how_to_repeat(parts.run)


def _lead(run):
    """Backbone, rows and heads in a line."""
    rows = run.trained_on.get("rows", {})
    learned = sum(rows.values()) if run.split == "all" else rows.get("train")
    trained = f", trained on {learned:,} rows" if learned else ""
    heads = ", ".join(f"{both(head.name)} ({counted(len(head.classes), 'class')})" for head in run.task.heads)
    judged = OUT_OF_FOLD if run.split == "all" else OF_VALIDATION
    return f"{escape(run.config.backbone)}{trained}; {heads}. {judged}"


def _missing(missing):
    messages = f'<div lang="en">{bullets(map(escape, missing))}</div>'  # whatever the language of the page
    return section("What is missing here", messages, "note") if missing else ""


def _learning(history):
    """The section with the learning curves."""
    if history is None:
        return ""
    try:
        drawn = plot_history(history)
    except InputError as error:
        return section("Learning curves", element("p", escape(str(error))))
    only_solved = len(history) == 1 and history["epoch"].iloc[0] == 0
    text = element("p", SOLVED) if only_solved else ""
    return section("Learning curves", lines(text, figure(drawn, "Loss and accuracy by epoch")))
