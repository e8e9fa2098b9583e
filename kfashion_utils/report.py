"""`report`: a run folder -> one self-contained HTML page that says what was done, how good it is, and how to repeat it.

No network, no script: styles inline, figures and pictures as base64. Equal input gives equal bytes. What is missing is said in words
on the page. Beware before sharing: a page with pictures holds 24 of the run's photographs.
"""

import base64
import math
import shlex
import string
from dataclasses import fields
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils import images, plots
from kfashion_utils.catalog import complete_catalog, read_catalog
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation import average_photos, evaluate, head_scores
from kfashion_utils.images import ImageRejected
from kfashion_utils.labels import NONE_APPLIES, NOT_ANNOTATED
from kfashion_utils.runs import Run
from kfashion_utils.storage import write_text
from kfashion_utils.tasks import HEADS, TASKS, gloss

PICTURES = 24  # half confident mistakes, half drawn
PICTURE_SIZE = 224  # pixels, at most
FIGURE_DPI = 150  # sharp on a phone's screen
SEED = 0  # of the drawn pictures


def report(run, catalog=None, root=None, out=None):
    """Write the page of a run.

    Args:
        run: a Run, or the path of its folder.
        catalog: DataFrame (or path) with the truth of the predicted rows; None = the one the run kept.
        root: folder of its pictures; None = the one the run was trained from.
        out: the page to write; None = `report.html` in the run's folder.

    Returns:
        Path of the page.

    Raises:
        InputError: the folder has no readable `run.json`, or `catalog` is a path without a catalog. Anything else that is missing
            is named on the page.
    """
    run = run if isinstance(run, Run) else Run(run)
    parts = _Parts(run, catalog, root)
    out = Path(out) if out is not None else run.path / "report.html"
    write_text(out, _page(parts))
    return out


class _Parts:
    """What of a run could be read; `missing` says in words what could not."""

    def __init__(self, run, catalog, root):
        self.run, self.recipe = run, run.recipe
        self.task, self.preprocess, self.config = _recipe_values(run)
        self.missing = []
        self.history = self._optional("learning curves", self._read_history)
        self.predictions = self._optional("predictions", lambda: self._checked(run.predictions))
        if isinstance(catalog, (str, Path)):
            catalog = read_catalog(catalog)
        read = (lambda: run.catalog) if catalog is None else (lambda: complete_catalog(catalog))
        self.catalog = self._optional("class table, confusion and pictures, which need the truth", read)
        self.judged = {}  # head name -> figures computed from the catalog
        self.metrics = self._figures()
        self.root = self._root(root)

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
        return predictions

    def _figures(self):
        """{head name: figures}: computed from the catalog where there is one, else the run's own."""
        stored = self._optional("figures of a finished training", lambda: self.run.metrics) or {}
        if self.catalog is not None and self.predictions is not None:
            for head in self.task.heads:
                rows = self.predictions[["id", "photo", head.name, *(f"{head.name}:{name}" for name in head.classes)]]
                figures = self._optional(f"truth for {head.name!r}", lambda rows=rows: evaluate(rows, self.catalog))
                self.judged.update(figures or {})
        if any(name in stored and not _same(stored[name], figures) for name, figures in self.judged.items()):
            self.missing.append("This is not the catalog the run was trained with: its own metrics.json holds other figures than those computed here.")
        return {**stored, **self.judged}

    def _root(self, root):
        if not self.judged:
            return None
        if root is None and "root" not in self.recipe:
            self.missing.append("No pictures: the folder of the photographs was not given (root).")
            return None
        root = Path(root if root is not None else self.recipe["root"])
        if not root.is_dir():
            self.missing.append(f"No pictures: there is no folder {root} here; give the one that holds the photographs (--root).")
            return None
        return root


def _recipe_values(run):
    try:
        return run.task, run.preprocess, run.config
    except (KeyError, TypeError, AttributeError, InputError) as error:
        raise InputError(f"{run.path / 'run.json'} is no recipe of a run: {error}") from error


def _same(stored, computed):
    keys = ("n", "accuracy", "balanced_accuracy", "macro_f1")
    return stored is not None and all(
        stored.get(key) == computed[key] or math.isclose(stored.get(key) or -1, computed[key] or -1, abs_tol=1e-6) for key in keys
    )


# The page -------------------------------------------------------------------------------------------------------------


def _page(parts):
    title = f"{parts.task.name}: {parts.run.path.resolve().name}"
    sections = [
        _missing(parts.missing),
        *(_headline(parts, head) for head in parts.task.heads),
        _what_was_done(parts),
        _learning(parts.history),
        *(_classes(parts, head) for head in parts.task.heads),
        _pictures(parts),
        _how_to_repeat(parts),
    ]
    body = "\n".join(section for section in sections if section)
    return PAGE.substitute(title=escape(title), style=STYLE.strip(), lead=_lead(parts), body=body)


def _lead(parts):
    rows = parts.recipe.get("catalog", {}).get("rows", {})
    heads = ", ".join(f"{_both(head.name)} ({len(head.classes)} classes)" for head in parts.task.heads)
    learned = f", trained on {rows['train']:,} rows" if "train" in rows else ""
    return f"{escape(parts.config.backbone)}{learned}; {heads}. {_judged(parts.recipe)}"


def _judged(recipe):
    if recipe.get("split") == "all":
        return "It learned from every row; every figure on this page is out of fold: each row was judged by a head that saw nothing of its group."
    return "Every figure on this page is of the validation rows, which the model did not learn from."


def _section(title, content, kind="part"):
    return f'<section class="{kind}">\n<h2>{title}</h2>\n{content}\n</section>'


def _missing(missing):
    if not missing:
        return ""
    return _section("What is missing here", "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in missing) + "</ul>", "note")


def _both(name):
    """A class or head as HTML: Korean with its gloss."""
    english = gloss(name)
    return escape(name) if english == name else f'<span lang="ko">{escape(name)}</span> <i>{escape(english)}</i>'


def _label(text):
    """A label, several joined by `|`, as HTML."""
    if text == NONE_APPLIES:
        return "none"
    return ", ".join(_both(name) for name in text.split("|"))


def _image(data, kind, alt, **attributes):
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<img src="data:image/{kind};base64,{base64.b64encode(data).decode()}" alt="{escape(alt)}"{more}>'


def _figure(figure, alt):
    width = round(figure.get_figwidth() * plots.DPI)
    wide = " wide" if width > 520 else ""  # on a phone it is scrolled, not shrunk until nothing can be read
    return f'<div class="plate{wide}" tabindex="0">{_image(plots.png(figure, FIGURE_DPI), "png", alt, width=width)}</div>'


# Headline -------------------------------------------------------------------------------------------------------------


def _headline(parts, head):
    figures = parts.metrics.get(head.name)
    if figures is None:
        return ""
    title = f"How good is it? <small>{_both(head.name)}</small>" if len(parts.task.heads) > 1 else "How good is it?"
    what = "with all labels right" if head.multi else "answered correctly"
    tiles = "".join(_tile(text, figures.get(key), _why(key, why, figures)) for key, text, why in TILES)
    first = next(name for name in (head.name for head in parts.task.heads) if name in parts.metrics)
    regions = f"\n<p>{_regions(parts, figures)}</p>" if head.name == first else ""  # of all heads
    return _section(
        title,
        f'<div class="headline"><p class="big">{_percent(figures["accuracy"])}</p><div class="beside">'
        f"<p>of {figures['n']:,} validation photos {what}</p>{_against_majority(figures)}</div></div>\n"
        f'<div class="tiles">{tiles}</div>\n<p>{_coverage(head, figures)}</p>{_without_annotation(parts, head)}{regions}',
    )


def _without_annotation(parts, head):
    figures = parts.recipe.get("without_annotation", {}).get(head.name)
    if not figures or not figures["n"]:
        return ""
    return (
        f"\n<p>Without the annotators' boxes and polygons at test time: <b>{_percent(figures['accuracy'])}</b> (balanced "
        f"{_percent(figures['balanced_accuracy'])}). That is what a board whose pictures come without them would see.</p>"
    )


def _why(key, why, figures):
    return f"says little: {figures['classes_present']} classes occur" if key == "top3" and figures["classes_present"] <= 3 else why


def _coverage(head, figures):
    present = figures["classes_present"]
    which = "all" if present == len(head.classes) else f"{present}"
    half = 196 * math.sqrt(figures["accuracy"] * (1 - figures["accuracy"]) / figures["n"])
    return f"{which.capitalize()} of the {len(head.classes)} classes have photos here. With {figures['n']:,} photos the accuracy is known to about ± {max(half, 0.1):.1f} points (95 %)."


TILES = (
    ("balanced_accuracy", "balanced accuracy", "mean over the classes"),
    ("macro_f1", "macro F1", "mean over the classes"),
    ("top3", "top 3", "the truth is among three answers"),
    ("parent_accuracy", "parents", "the coarser group is right"),
)


def _tile(text, value, why):
    if value is None:
        return ""
    return f'<div class="tile"><b>{value:.3f}</b><span>{text}</span><small>{why}</small></div>'


def _against_majority(figures):
    bars = "".join(
        f'<div class="row"><span>{text}</span><div class="track"><div class="{name}" style="width:{100 * value:.1f}%"></div></div><b>{value:.3f}</b></div>'
        for text, name, value in (("this model", "model", figures["accuracy"]), ("majority baseline", "base", figures["majority"]))
    )
    return f'<div class="bars">{bars}</div><p class="quiet">Majority baseline: always answering the most frequent one.</p>'


FOUND_BY = {"annotation": "drawn by annotators", "none": "not given, so the whole picture is used", "hand": "drawn by hand"}


def _regions(parts, figures):
    reads = [name for name, on in (("box", parts.preprocess.crop == "box"), ("polygon", parts.preprocess.mask == "polygon")) if on]
    if not reads:
        return "This recipe reads no box and no polygon: the model sees whole pictures, as a leaderboard gives them."
    shares = ", ".join(f"{share:.1%} {escape(FOUND_BY.get(name, f'found by {name}'))}" for name, share in figures.get("regions", {}).items())
    text = f"The model sees the garment's {' and '.join(reads)}. Of these photos' regions, {shares or 'nothing is known'}."
    if figures.get("regions", {}).get("annotation"):
        text += " <strong>New pictures have no annotation</strong>: expect less there, or find their regions with a finder first."
    return text


def _percent(value):
    return f"{100 * value:.1f} %"


# What was done --------------------------------------------------------------------------------------------------------


def _what_was_done(parts):
    rows = [(name, text) for name, text in _facts(parts) if text]
    listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in rows)
    versions = "".join(f"<tr><td>{escape(str(k))}</td><td><code>{escape(str(v))}</code></td></tr>" for k, v in parts.recipe.get("environment", {}).items())
    details = f"<details><summary>Versions and commit</summary><table class=\"plain\">{versions}</table></details>" if versions else ""
    return _section("What was done", f"<dl>{listed}</dl>{details}")


def _facts(parts):
    recipe = parts.recipe
    yield "Question", "; ".join(_question(head) for head in parts.task.heads)
    yield "Network", _network(parts)
    yield "Pixels", f"{_pixels(parts.preprocess)} <code>{escape(parts.preprocess.key)}</code>"
    yield "Training", _training(parts.config)
    yield "Rows", _rows(recipe)
    yield "Regions in training", ", ".join(f"{share:.1%} {escape(name)}" for name, share in recipe.get("regions", {}).items())
    if recipe.get("lacking"):
        yield "Without the region asked for", f"{recipe['lacking']:.1%} of the training rows fell back a step (polygon, box, whole picture)"
    yield "Catalog", f"<code>{escape(str(recipe['catalog']['hash'])[:12])}</code>, the same table and splits give the same hash" if recipe.get("catalog", {}).get("hash") else ""
    times = recipe.get("times", {})
    yield "Time", _time(times)


def _question(head):
    kind = "any number of them apply" if head.multi else "exactly one applies"
    parents = f", in {len(head.parent_names)} parent groups" if head.parents else ""
    return f"{_both(head.name)}: {len(head.classes)} class{'es' * (len(head.classes) > 1)}{parents}, {kind}"


def _network(parts):
    weights, digest = str(parts.config.weights or "none"), parts.recipe.get("weights_sha256")
    if weights == "none":
        return f"{escape(parts.config.backbone)}, from random weights"
    sha = f" (sha256 <code>{escape(str(digest)[:12])}</code>)" if digest else ""
    return f"{escape(parts.config.backbone)}, starting from the weights {escape(Path(weights).name)}{sha}"


def _pixels(recipe):
    region = {"none": "the whole picture", "box": "cut to the row's box"}[recipe.crop]
    if recipe.crop == "box" and recipe.margin:
        region += f" with a margin of {recipe.margin:.0%}"
    mask = f", everything outside its polygon painted {_grey(recipe.fill)}" if recipe.mask == "polygon" else ""
    fit = f"padded with {_grey(recipe.fill)}" if recipe.fit == "pad" else "stretched"
    return f"{region}{mask}, {fit} to {recipe.size} × {recipe.size}, JPEG quality {recipe.quality}"


def _grey(value):
    return {0: "black", 255: "white"}.get(value, f"grey {value}")


def _training(config):
    parts = [] if config.weights == "none" and config.fine_tune_epochs else [_head_of(config)]
    if config.fine_tune_epochs:
        rate = config.rate(1)
        falling = f", × {config.drop:g} every {config.every} epochs" if config.schedule == "step" else ""
        what = "the whole network trained" if config.weights == "none" else "the whole network fine-tuned"
        parts.append(
            f"{what} for {config.fine_tune_epochs} epochs: AdamW, rate {rate:g}{falling}, weight decay {config.weight_decay:g}, "
            f"label smoothing {config.label_smoothing:g}, batches of {config.batch_size}, augmentation {config.augment}"
        )
    elif parts:
        parts.append("no fine-tuning")
    return escape("; ".join([*parts, f"seed {config.seed}"]))


def _head_of(config):
    """How the head on frozen features was fitted, in words."""
    kind = "a linear head solved" if config.head == "linear" else f"a {config.head} head trained for {config.head_epochs} epochs (rate {config.learning_rate:g})"
    what = "the last layer" if (config.taps or "last") == "last" else "mean, deviation and maximum of the last two stages"
    seen = " and ".join(map(str, config.sizes))
    views = {1: "each picture", 2: "each picture and its mirror image"}.get(config.views, f"{config.views} views of each picture")
    balance = "" if config.balance == "none" else f", classes balanced ({config.balance})"
    return f"{kind} on frozen features ({what}{f', seen at {seen} pixels' if seen else ''}; {views}){balance}"


def _rows(recipe):
    rows = ", ".join(f"{count:,} {escape(name)}" for name, count in sorted(recipe.get("catalog", {}).get("rows", {}).items()))
    rejected = recipe.get("rejected")
    return f"{rows}; {'no' if rejected == 0 else f'{rejected:,}'} picture{'s' * (rejected != 1)} rejected" if rejected is not None else rows


def _time(times):
    if "seconds" not in times:
        return ""
    seconds = float(times["seconds"])
    spent = f"{seconds:.1f} seconds" if seconds < 120 else f"{seconds / 60:.1f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
    return f"{spent}{', finished ' + escape(str(times['finished']).replace('T', ' ')) if 'finished' in times else ''}"


def _learning(history):
    if history is None:
        return ""
    try:
        figure = plots.plot_history(history)
    except InputError as error:
        return _section("Learning curves", f"<p>{escape(str(error))}</p>")
    text = "The network was not fine-tuned, so there is one step: the head solved on frozen features." if len(history) == 1 and history["epoch"].iloc[0] == 0 else ""
    return _section("Learning curves", f"{f'<p>{text}</p>' if text else ''}{_figure(figure, 'Loss and accuracy by epoch')}")


# Classes --------------------------------------------------------------------------------------------------------------


def _classes(parts, head):
    if head.name not in parts.judged:
        return ""
    title = f"Class by class: {_both(head.name)}"
    _, actual, answered = plots.judge(parts.predictions, parts.catalog, head)
    table = class_table(head, actual, answered)
    used = table[(table["n"] > 0) | (table["answered"] > 0)].sort_values("n", ascending=False, kind="stable")
    unused = table[(table["n"] == 0) & (table["answered"] == 0)]["class"]
    rest = f'<p class="quiet">{len(unused)} more without a validation photo and never answered: {", ".join(map(_both, unused))}.</p>' if len(unused) else ""
    return _section(title, f"{_class_rows(used, bool(head.parents))}{rest}{_confusion(parts, head)}")


def class_table(head, actual, answered):
    """One row a class: `class, parent, n, answered, recall, precision, f1`; NaN where a share has nothing below it.

    Args:
        head: Head.
        actual, answered: 0/1 int `(n, classes)`.
    """
    n, said, hits = actual.sum(axis=0), answered.sum(axis=0), (actual * answered).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, precision, f1 = hits / n, hits / said, 2 * hits / (n + said)
    parents = head.parents or ("",) * len(head.classes)
    return pd.DataFrame({"class": head.classes, "parent": parents, "n": n, "answered": said, "recall": recall, "precision": precision, "f1": f1})


def _class_rows(table, with_parent):
    header = "".join(f"<th>{text}</th>" for text in ["class", *(["parent"] if with_parent else []), "photos", "recall", "precision", "F1"])
    lines = []
    for row in table.to_dict("records"):
        parent = f'<td class="parent">{_both(row["parent"])}</td>' if with_parent else ""
        small = f'<small class="under">{_both(row["parent"])}</small>' if with_parent else ""
        recall = f'<td class="recall">{_meter(row["recall"])}</td>'
        lines.append(f"<tr><th scope=\"row\">{_both(row['class'])}{small}</th>{parent}<td>{row['n']:,}</td>{recall}<td>{_share(row['precision'])}</td><td>{_share(row['f1'])}</td></tr>")
    return f'<table class="classes{" parents" if with_parent else ""}"><thead><tr>{header}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def _meter(value):
    if value != value:
        return "–"
    return f'<span class="meter"><span style="width:{100 * value:.0f}%"></span></span>{value:.2f}'


def _share(value):
    return "–" if value != value else f"{value:.2f}"


def _confusion(parts, head):
    figure = plots.plot_confusion(parts.predictions, parts.catalog, head)
    text = (
        "Each row holds the photos of one true class; a dark cell off the diagonal is what it is mistaken for."
        if not head.multi
        else "Each row holds the photos that have a class, each column a class that was answered for them."
    )
    return f"<h3>What is taken for what</h3><p>{text}</p>{_figure(figure, 'Confusion of ' + head.name)}"


# Pictures -------------------------------------------------------------------------------------------------------------


def _pictures(parts):
    if parts.root is None:
        return ""
    answers = judge_answers(parts)
    if not len(answers):
        return ""
    mistakes, drawn = choose_pictures(answers)
    rows = parts.catalog.drop_duplicates("id").set_index("id", drop=False)
    blocks = []
    for title, text, chosen in (
        ("The most confident mistakes", "Look here first: a wrong label in the data, a picture that shows two things, or a real weakness.", mistakes),
        ("Drawn at random", f"Among the other validation photos, seed {SEED}: what is normal.", drawn),
    ):
        if chosen:
            cards = "".join(_card(parts, rows.loc[row_id].to_dict(), answers[answers["id"] == row_id]) for row_id in chosen)
            blocks.append(f'<h3>{title}</h3><p>{text}</p><div class="cards">{cards}</div>')
    return _section("Pictures, as the model saw them", "\n".join(blocks))


def judge_answers(parts):
    """One row a photo and head that is annotated: `id, head, truth, answer, right, confidence` (0..1), scores `(classes,)`."""
    photos = average_photos(parts.predictions)
    truth = parts.catalog.drop_duplicates("id").set_index("id").loc[photos["id"]]
    records = []
    for head in (head for head in parts.task.heads if head.name in parts.judged):
        labels = truth[head.name].to_numpy()
        known = np.flatnonzero((labels != NOT_ANNOTATED) & ((labels != NONE_APPLIES) | head.multi))
        scores, actual = head_scores(photos, head)[known], head.encode(labels[known]) > 0.5
        wrong = (scores >= 0.5) != actual if head.multi else scores.argmax(axis=1) != actual.argmax(axis=1)
        right = ~wrong.any(axis=1) if head.multi else ~wrong
        confidence = _confidence(scores, wrong) if head.multi else scores.max(axis=1)
        ids, answers = photos["id"].to_numpy()[known], head.decode(scores)
        records += zip(ids, [head.name] * len(known), labels[known], answers, right, confidence, scores, strict=True)
    return pd.DataFrame(records, columns=["id", "head", "truth", "answer", "right", "confidence", "scores"])


def _confidence(scores, wrong):
    """Of a multi-label answer: of its surest wrong class, else of its least sure one; `(n,)`, 0.5..1."""
    sure = np.maximum(scores, 1 - scores)
    return np.where(wrong.any(axis=1), np.where(wrong, sure, 0).max(axis=1), sure.min(axis=1))


def choose_pictures(answers, count=PICTURES, seed=SEED):
    """Ids to show: (most confident mistakes, a random draw of other photos), `count` in all where there are as many.

    A photo's mistake is that of its head with the most confident wrong answer.
    """
    wrong = answers[~answers["right"].astype(bool)].groupby("id", sort=True)["confidence"].max()
    mistakes = wrong.sort_values(ascending=False, kind="stable").index[: count // 2].tolist()
    others = sorted(set(answers["id"]) - set(mistakes))
    order = np.random.default_rng(seed).permutation(len(others))[: count - len(mistakes)]
    return mistakes, [others[number] for number in order]


def _card(parts, row, answers):
    right = bool(answers["right"].all())
    lines = "".join(_answer(parts, answer, len(parts.task.heads) > 1) for answer in answers.to_dict("records"))
    return f'<figure class="{"right" if right else "wrong"}">{_photograph(parts, row)}<figcaption>{lines}<small>{escape(str(row["id"]))}</small></figcaption></figure>'


def _answer(parts, answer, name_head):
    head = next(head for head in parts.task.heads if head.name == answer["head"])
    scores = dict(zip(head.classes, answer["scores"], strict=True))
    said = ", ".join(f"{_both(name)} {scores[name]:.2f}" for name in answer["answer"].split("|") if name in scores) or "none"
    title = f"<em>{_both(head.name)}</em> " if name_head else ""
    if answer["right"]:
        return f'<p><b class="yes">✓ right</b> {title}{said}</p>'
    return f'<p><b class="no">✗ wrong</b> {title}{said}</p><p>truth: {_label(answer["truth"])}</p>'


def _photograph(parts, row):
    try:
        pixels = parts.preprocess.apply(row["path"], row, parts.root)
    except (ImageRejected, OSError) as error:
        reason = f"{error.reason}: {error.detail or images.REASONS.get(error.reason, '')}" if isinstance(error, ImageRejected) else str(error)
        return f'<div class="placeholder">no picture<br>{escape(reason)}</div>'
    size = min(PICTURE_SIZE, pixels.shape[0])
    data = images.encode_jpeg(plots.shrink(pixels, size, size) if size < pixels.shape[0] else pixels, 82)
    small = {"class": "pixelated"} if size < 100 else {}
    return _image(data, "jpeg", f"photo {row['id']}", width=size, height=size, **small)


# Again ----------------------------------------------------------------------------------------------------------------


def _how_to_repeat(parts):
    digest = escape(str(parts.recipe.get("catalog", {}).get("hash", "unknown"))[:12])
    notes = [f"<code>catalog.csv</code>: the table whose train and valid rows have the hash <code>{digest}</code>; <code>DIR</code>: the folder with its photographs."]
    if "--task" in _flags(parts) and parts.task.name not in TASKS:
        notes.append("<code>task.json</code>: the part <code>task</code> of this run's <code>run.json</code>.")
    notes.append("The same command on the same folder continues an interrupted training, or returns what is done.")
    listed = "".join(f"<li>{note}</li>" for note in notes)
    return _section("How to repeat it", f"<pre><code>{escape(train_command(parts))}</code></pre><ul>{listed}</ul>")


def train_command(parts):
    """The command line that trains this run again; only flags that differ from the defaults of the recipes."""
    return shlex.join(["kfashion", "train", "catalog.csv", "--root", "DIR", "--run", f"runs/{parts.run.path.resolve().name}", *_flags(parts)])


def _flags(parts):
    flags = ["--task", _task_argument(parts.task)] if _task_argument(parts.task) else []
    for value in (parts.preprocess, parts.config):
        for field in fields(value):
            chosen = getattr(value, field.name)
            if chosen != field.default:
                flags += [f"--{field.name.replace('_', '-')}", str(chosen)]
    return flags


def _task_argument(task):
    """None where the label columns alone give this task; else a known task's name, or a file to be made of run.json."""
    plain = all(HEADS.get(head.name) == head or (not head.multi and head.weight == 1 and not head.parents) for head in task.heads)
    if plain and task.name == "_".join(head.name for head in task.heads):
        return None
    return task.name if TASKS.get(task.name) == task else "task.json"


# Template -------------------------------------------------------------------------------------------------------------

PAGE = string.Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style
</style>
</head>
<body>
<main>
<header>
<h1>$title</h1>
<p class="lead">$lead</p>
</header>
$body
</main>
</body>
</html>
""")

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f6f4; --card: #ffffff; --ink: #1d1d1f; --quiet: #63636a; --line: #e2e2df;
  --accent: #0072b2; --grey: #9a9a9a; --yes: #00735c; --no: #b3470b; --note: #fdf4df;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #161618; --card: #212124; --ink: #ececef; --quiet: #a5a5ad; --line: #37373c;
    --accent: #56b4e9; --grey: #85858c; --yes: #3ccba5; --no: #f0914f; --note: #33301f;
  }
  .plate { filter: brightness(.9); }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink); font-size: 16px; line-height: 1.5; word-break: keep-all; overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans KR", "Noto Sans CJK KR", NanumGothic, sans-serif;
}
main { max-width: 1000px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 20px; margin: 0 0 12px; }
h2 small { color: var(--quiet); font-weight: normal; font-size: 16px; margin-left: 6px; }
h3 { font-size: 16px; margin: 24px 0 4px; }
p { margin: 0 0 10px; max-width: 75ch; }
i { font-style: normal; color: var(--quiet); }
.lead, .quiet { color: var(--quiet); }
.quiet { font-size: 14px; }
table + .quiet { margin-top: 12px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 22px 24px; margin-top: 18px; }
section.note { background: var(--note); }
section ul { margin: 0; padding-left: 20px; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 14px; }
pre { background: var(--page); border-radius: 8px; padding: 14px; overflow-x: auto; white-space: pre-wrap; margin: 0 0 12px; }
.headline { display: flex; gap: 32px; align-items: center; flex-wrap: wrap; margin-bottom: 16px; }
.big { font-size: 64px; font-weight: 700; line-height: 1; margin: 0; letter-spacing: -2px; color: var(--accent); white-space: nowrap; }
.beside { flex: 1 1 300px; }
.beside p { margin: 0 0 6px; }
.row { display: grid; grid-template-columns: 130px 1fr 50px; gap: 10px; align-items: center; font-size: 14px; margin: 4px 0; }
.row b { text-align: right; font-variant-numeric: tabular-nums; }
.track { background: var(--line); border-radius: 4px; overflow: hidden; }
.track div { height: 14px; }
.model { background: var(--accent); }
.base { background: var(--grey); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 0 0 16px; }
.tile { border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; display: flex; flex-direction: column; }
.tile b { font-size: 24px; font-variant-numeric: tabular-nums; }
.tile small { color: var(--quiet); }
dl { display: grid; grid-template-columns: 170px 1fr; gap: 8px 20px; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; }
details { margin-top: 14px; }
summary { cursor: pointer; color: var(--accent); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
table.plain td { padding: 2px 18px 2px 0; font-size: 14px; }
table.classes { width: 100%; }
.classes th, .classes td { padding: 7px 10px; text-align: right; border-bottom: 1px solid var(--line); font-weight: normal; white-space: nowrap; }
.classes thead th { color: var(--quiet); font-size: 14px; }
.classes th:first-child, .classes .parent, .classes.parents thead th:nth-child(2) { text-align: left; white-space: normal; }
.under { display: none; color: var(--quiet); }
.meter { display: inline-block; width: 90px; height: 8px; border-radius: 4px; background: var(--line); overflow: hidden; margin-right: 10px; vertical-align: middle; }
.meter span { display: block; height: 100%; background: var(--accent); }
.plate { background: #fff; border-radius: 8px; padding: 10px; overflow-x: auto; margin-top: 8px; }
.plate img { display: block; height: auto; max-width: 100%; margin: 0 auto; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 12px; margin-top: 10px; }
.cards figure { margin: 0; border: 3px solid var(--yes); border-radius: 10px; overflow: hidden; background: var(--page); }
.cards figure.wrong { border-color: var(--no); border-style: dashed; }
.cards img, .placeholder { display: block; width: 100%; height: auto; aspect-ratio: 1; background: #fff; }
.cards img.pixelated { image-rendering: pixelated; }
.placeholder { display: flex; align-items: center; justify-content: center; text-align: center; padding: 10px; font-size: 13px; color: #63636a; background: #ececea; }
figcaption { padding: 8px 10px; font-size: 14px; line-height: 1.35; }
figcaption p { margin: 0 0 3px; }
figcaption small { color: var(--quiet); font-size: 12px; }
figcaption em { font-style: normal; color: var(--quiet); }
.yes, .no { display: block; }
.yes { color: var(--yes); }
.no { color: var(--no); }
@media (max-width: 620px) {
  main { padding: 20px 12px 40px; }
  h1 { font-size: 23px; }
  section { padding: 16px 14px; }
  .big { font-size: 52px; }
  .headline { gap: 12px; }
  .row { grid-template-columns: 112px 1fr 46px; }
  .tiles { grid-template-columns: 1fr 1fr; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 10px; }
  .classes th, .classes td { padding: 6px 4px; font-size: 14px; }
  .classes .parent, .classes.parents thead th:nth-child(2), .classes .meter { display: none; }
  .under { display: block; }
  .plate.wide img { max-width: none; width: 640px; }
  .cards { grid-template-columns: 1fr 1fr; gap: 8px; }
}
@media print { body { background: #fff; } section { break-inside: avoid; } }
"""
