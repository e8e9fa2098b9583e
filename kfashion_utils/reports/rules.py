"""What was done to make a run, and what a leaderboard's rules ask of it."""

from html import escape

from kfashion_utils.reports.page import element, facts, section, table
from kfashion_utils.reports.recipe import (
    network,
    pixels,
    region_models,
    region_shares,
    regions_read,
    starting_weights,
    training,
)
from kfashion_utils.reports.wording import both, counted, of_kind

FALLS_BACK = "where the polygon is missing the box is used, where both are missing the whole picture"
JUDGED_OUT_OF_FOLD = "nothing: each row was judged by a classifier that had not seen its group (out of fold)"
SLIGHTLY_TOO_GOOD = "so the figures on this page are slightly too good; those of a test split are not"


# What was done --------------------------------------------------------------------------------------------------------


def what_was_done(run):
    """The section on the recipe."""
    digest = run.trained_on.get("hash")
    catalog = f"<code>{escape(str(digest)[:12])}</code>, the same table and splits give the same hash" if digest else ""
    rows = [
        ("Question", "; ".join(map(_question, run.task.heads))),
        ("Network", network(run)),
        ("Pixels", f"{pixels(run.preprocess)} <code>{escape(run.preprocess.key)}</code>"),
        ("Training", escape(training(run.config))),
        ("Rows", _rows(run)),
        ("Rows without a region", f"{run.lacking:.1%} of the training rows: {FALLS_BACK}" if run.lacking else ""),
        ("Catalog", catalog),
        ("Time", _time(run.times)),
    ]
    return section("What was done", facts(rows) + _versions(run.environment))


def _question(head):
    parents = f", in {counted(len(head.parent_names), 'parent group')}" if head.parents else ""
    return f"{both(head.name)}: {counted(len(head.classes), 'class')}{parents}, {of_kind(head, 'question')}"


def _rows(run):
    counts = sorted(run.trained_on.get("rows", {}).items())
    rows = ", ".join(f"{count:,} {escape(name)}" for name, count in counts)
    if run.rejected is None:
        return rows
    rejected = counted(run.rejected, "picture") if run.rejected else "no pictures"
    return f"{rows}; {rejected} rejected"


def _time(times):
    if "seconds" not in times:
        return ""
    spent = _duration(float(times["seconds"]))
    if "finished" not in times:
        return spent
    return f"{spent}, finished {escape(str(times['finished']).replace('T', ' '))}"


def _duration(seconds):
    if seconds < 120:
        return f"{seconds:.1f} seconds"
    if seconds < 7200:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds / 3600:.1f} hours"


def _versions(environment):
    if not environment:
        return ""
    rows = [(escape(str(name)), element("code", escape(str(value)))) for name, value in environment.items()]
    return element("details", element("summary", "Versions and commit") + table(("package", "version"), rows, "plain"))


# A board's rules ------------------------------------------------------------------------------------------------------


def board_rules(run):
    """The section on what a leaderboard's rules ask for: annotation, other people's weights and models, which rows were
    learned from."""
    reads = regions_read(run.preprocess)
    models = ", ".join(map(escape, region_models(run.regions)))
    labels = "those of the catalog, and its second opinions" if run.config.sub_labels else "those of the catalog"
    rows = [
        ("Pretrained weights", _pretrained(run)),
        ("Annotation in training", _training_regions(run, reads)),
        ("A new picture needs", _needs(reads)),
        ("Models that found regions", models or "none"),
        ("Labels", labels),
        ("Learned from", _learned_from(run)),
        ("Chosen by validation rows", _chosen(run)),
    ]
    return section("For a board's rules", facts(rows))


def _pretrained(run):
    if not run.config.start.pretrained:
        return "none"
    return f"{starting_weights(run)}: check that the rules allow the data they were trained on"


def _needs(reads):
    return (
        f"its {reads}: from annotators, drawn by hand, or found by a model"
        if reads
        else "nothing but the picture itself"
    )


def _training_regions(run, reads):
    if not reads:
        return "the class labels; no box and no polygon is read"
    return f"the class labels, and each row's {reads}: {region_shares(run.regions) or 'it is not known who drew them'}"


def _learned_from(run):
    counts = run.trained_on.get("rows", {})
    if run.split == "all":
        count = f"{sum(counts.values()):,} " if counts else ""
        return f"all {count}train and valid rows"
    count = f"{counts['train']:,}" if "train" in counts else "the"
    return f"{count} train rows; not from valid or test rows"


def _chosen(run):
    if run.split == "all":
        return JUDGED_OUT_OF_FOLD
    if not run.config.fine_tune_epochs:
        return "nothing: they had no part in the weights"
    kept = "the weights with the lowest validation loss"
    best = run.fit.get("best", {"share": 1})
    if best["share"] != 1:
        kept += f", {best['share']:.0%} of the way from the frozen start to epoch {best['epoch']}"
    return f"{kept}, {SLIGHTLY_TOO_GOOD}"
