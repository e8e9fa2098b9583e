"""What a report says of a recipe, in words: what was trained on what, what a board's rules ask for, and the command that repeats it."""

import shlex
from dataclasses import fields
from html import escape
from pathlib import Path

from kfashion_utils.reports.page import both, bullets, facts, section
from kfashion_utils.tables.tasks import HEADS, TASKS

OPTIMISER = "AdamW"
FOUND_BY = {
    "annotation": "drawn by annotators",
    "none": "not given, so the whole picture is used",
    "hand": "drawn by hand",
}
TAPS = {"last": "the last layer", "stages": "mean, deviation and maximum of the last two stages"}
AUGMENTED = {"none": "pictures unchanged", "light": "light augmentation (mirror, shift, zoom, brightness, colour)", "strong": "strong augmentation (turned and partly erased, too)", "randaugment": "two random operations on each picture (RandAugment)"}  # fmt: skip
BALANCED = {
    "none": "", "sqrt": "rare classes count more (square root of their share)", "full": "all classes count the same (weights)", "sample": "rare classes drawn more often",
    "focal": "what is already known counts less (focal loss)", "logit": "all classes count the same (logit adjustment)",
}  # fmt: skip
MIXED = {
    "none": "",
    "mixup": "pictures and labels interpolated (MixUp)",
    "cutmix": "rectangles of pictures exchanged (CutMix)",
    "both": "MixUp or CutMix, one of them a batch",
}


def what_was_done(parts):
    """The section on the recipe."""
    recipe = parts.recipe
    digest = recipe.get("catalog", {}).get("hash")
    lacking = recipe.get("lacking")
    rows = [
        ("Question", "; ".join(_question(head) for head in parts.task.heads)),
        ("Network", network(parts)),
        ("Pixels", f"{pixels(parts.preprocess)} <code>{escape(parts.preprocess.key)}</code>"),
        ("Training", escape(training(parts.config))),
        ("Rows", _rows(recipe)),
        (
            "Without the region asked for",
            f"{lacking:.1%} of the training rows fell back a step (polygon, box, whole picture)" if lacking else "",
        ),
        (
            "Catalog",
            f"<code>{escape(str(digest)[:12])}</code>, the same table and splits give the same hash" if digest else "",
        ),
        ("Time", _time(recipe.get("times", {}))),
    ]
    return section("What was done", facts(rows) + _versions(recipe.get("environment", {})))


def board_rules(parts):
    """The section on what a leaderboard's rules ask for: annotation, other people's weights and models, which rows were learned from."""
    recipe, config = parts.recipe, parts.config
    reads = regions_read(parts.preprocess)
    rows = [
        (
            "Weights of others",
            "none"
            if config.weights == "none"
            else f"{escape(_weights_name(config))}{_digest(recipe)}: check that the rules allow what it learned from",
        ),
        ("Annotation in training", _training_regions(recipe, reads)),
        (
            "Needed of new pictures",
            f"their {' and '.join(reads)}: by annotation, by hand, or found by a finder"
            if reads
            else "nothing but the picture",
        ),
        (
            "Models that found regions",
            ", ".join(escape(name) for name in recipe.get("regions", {}) if name not in FOUND_BY) or "none",
        ),
        ("Labels", "those of the catalog, and its second opinions" if config.sub_labels else "those of the catalog"),
        ("Learned from", _learned_from(recipe)),
        ("Chosen by", _chosen_by(recipe, config)),
    ]
    return section("For a board's rules", facts(rows))


def regions_read(preprocess):
    """Which of a row's regions change the pixels, a list."""
    return [name for name, on in (("box", preprocess.crop == "box"), ("polygon", preprocess.mask == "polygon")) if on]


def region_shares(regions):
    return ", ".join(f"{part:.1%} {escape(FOUND_BY.get(name, f'found by {name}'))}" for name, part in regions.items())


def _training_regions(recipe, reads):
    labels = "the class labels"
    if not reads:
        return f"{labels}; no box and no polygon is read"
    return f"{labels}, and each row's {' and '.join(reads)}: {region_shares(recipe.get('regions', {})) or 'by whom is not known'}"


def _learned_from(recipe):
    counts = recipe.get("catalog", {}).get("rows", {})
    if recipe.get("split") == "all":
        return f"all {sum(counts.values()):,} train and valid rows" if counts else "all train and valid rows"
    return (
        f"{counts['train']:,} train rows; not from valid or test rows"
        if "train" in counts
        else "the train rows; not from valid or test rows"
    )


def _chosen_by(recipe, config):
    if recipe.get("split") == "all":
        return "nothing was chosen by the rows that are judged: each was judged out of fold"
    if config.fine_tune_epochs:
        best = recipe.get("fit", {}).get("best", {"share": 1})
        where = (
            ""
            if best["share"] == 1
            else f", those {best['share']:.0%} of the way from the frozen start to epoch {best['epoch']},"
        )
        return f"the weights with the lowest validation loss{where} were kept, so these figures are a little too good; a test split tells more"
    return "no valid row had a say in the weights"


def _question(head):
    kind = "any number of them apply" if head.multi else "exactly one applies"
    parents = f", in {len(head.parent_names)} parent groups" if head.parents else ""
    return f"{both(head.name)}: {len(head.classes)} class{'es' * (len(head.classes) > 1)}{parents}, {kind}"


def network(parts):
    """Backbone and starting weights, HTML."""
    if parts.config.weights in (None, "none"):
        return f"{escape(parts.config.backbone)}, from random weights"
    return f"{escape(parts.config.backbone)}, starting from the weights {escape(_weights_name(parts.config))}{_digest(parts.recipe)}"


def _weights_name(config):
    return Path(str(config.weights)).name


def _digest(recipe):
    digest = recipe.get("weights_sha256")
    return f" (sha256 <code>{escape(str(digest)[:12])}</code>)" if digest else ""


def pixels(recipe):
    """What a `Preprocess` does, in words."""
    region = {"none": "the whole picture", "box": "cut to the row's box"}[recipe.crop]
    if recipe.crop == "box" and recipe.margin:
        region += f" with a margin of {recipe.margin:.0%}"
    mask = f", everything outside its polygon painted {_grey(recipe.fill)}" if recipe.mask == "polygon" else ""
    fit = f"padded with {_grey(recipe.fill)}" if recipe.fit == "pad" else "stretched"
    return f"{region}{mask}, {fit} to {recipe.size} × {recipe.size}, JPEG quality {recipe.quality}"


def _grey(value):
    return {0: "black", 255: "white"}.get(value, f"grey {value}")


def _rows(recipe):
    rows = ", ".join(
        f"{count:,} {escape(name)}" for name, count in sorted(recipe.get("catalog", {}).get("rows", {}).items())
    )
    rejected = recipe.get("rejected")
    return (
        f"{rows}; {'no' if rejected == 0 else f'{rejected:,}'} picture{'s' * (rejected != 1)} rejected"
        if rejected is not None
        else rows
    )


def _time(times):
    if "seconds" not in times:
        return ""
    seconds = float(times["seconds"])
    spent = (
        f"{seconds:.1f} seconds"
        if seconds < 120
        else f"{seconds / 60:.1f} minutes"
        if seconds < 7200
        else f"{seconds / 3600:.1f} hours"
    )
    return f"{spent}{', finished ' + escape(str(times['finished']).replace('T', ' ')) if 'finished' in times else ''}"


def _versions(environment):
    lines = "".join(
        f"<tr><td>{escape(str(name))}</td><td><code>{escape(str(value))}</code></td></tr>"
        for name, value in environment.items()
    )
    return (
        f'<details><summary>Versions and commit</summary><table class="plain">{lines}</table></details>'
        if lines
        else ""
    )


# Training in words ----------------------------------------------------------------------------------------------------


def training(config):
    """How a `TrainConfig` trains: the head, the fine-tuning, what both do to classes and labels."""
    tuned = bool(config.fine_tune_epochs)
    parts = [] if config.weights == "none" and tuned else [_head(config)]
    parts.append(_fine_tuning(config) if tuned else "no fine-tuning")
    return "; ".join([*parts, f"seed {config.seed}"])


def _head(config):
    """How the head on frozen features was fitted."""
    kind = (
        "a linear head solved"
        if config.head == "linear"
        else f"a {config.head} head trained for {config.head_epochs} epochs (rate {config.learning_rate:g})"
    )
    seen = " and ".join(map(str, config.sizes))
    views = {1: "each picture", 2: "each picture and its mirror image"}.get(
        config.views, f"{config.views} views of each picture"
    )
    second = "second opinions take a share of the label, chosen by cross-validation" if config.sub_labels else ""
    learned = [
        BALANCED[config.balance],
        second,
        *(_of_labels(config) if config.head != "linear" and not config.fine_tune_epochs else []),
    ]
    return _joined(
        [
            f"{kind} on frozen features ({TAPS[config.taps or 'last']}{f', seen at {seen} pixels' if seen else ''}; {views})",
            *learned,
        ]
    )


def _fine_tuning(config):
    scratch = config.weights == "none"
    what = (
        "the whole network"
        if config.unfreeze is None
        else "the head"
        if not config.unfreeze
        else f"the head and the top {config.unfreeze} layers of the backbone"
    )
    early = f", ended after {config.stop_after} epochs without a lower validation loss" if config.stop_after else ""
    return _joined([
        f"{what} {'trained' if scratch else 'fine-tuned'} for {'up to ' * bool(early)}{config.fine_tune_epochs} epochs{early}: {OPTIMISER}, {_rate(config)}",
        f"the head's rate {config.head_factor:g} times as high" if config.head_factor != 1 else "",
        f"weight decay {config.weight_decay:g}",
        f"batches of {config.batch_size}",
        AUGMENTED.get(config.augment, ""),
        f"{config.swap:.0%} of the people pasted on other backgrounds" if config.swap else "",
        BALANCED[config.balance] if scratch else "",
        *_of_labels(config),
        f"a moving average of the weights is kept (momentum {config.ema:g})" if config.ema else "",
        "half precision where a GPU gains by it" if config.precision == "auto" else "",
    ])  # fmt: skip


def _of_labels(config):
    """What training does to labels and loss."""
    yield MIXED[config.mix]
    yield f"label smoothing {config.label_smoothing:g}" if config.label_smoothing else ""
    yield "a loss that forgives wrong labels (generalized cross-entropy)" if config.loss == "generalized" else ""
    yield f"{config.parent_share:.0%} of the loss taken over the parent groups" if config.parent_share else ""


def _rate(config):
    start = config.learning_rate if config.weights == "none" else config.fine_tune_rate
    epochs = f"{config.every} epochs" if config.every > 1 else "epoch"
    falling = {
        "constant": "",
        "step": f", × {config.drop:g} every {epochs}",
        "cosine": ", sinking to 0 along a cosine",
        "plateau": f", × {config.drop:g} after {config.patience} epochs without a lower validation loss",
    }[config.schedule]
    return f"rate {start:g}{f', grown from 0 over {config.warmup:g} epochs' if config.warmup else ''}{falling}"


def _joined(parts):
    return ", ".join(part for part in parts if part)


# Again ----------------------------------------------------------------------------------------------------------------


def how_to_repeat(parts):
    """The section with the command."""
    digest = escape(str(parts.recipe.get("catalog", {}).get("hash", "unknown"))[:12])
    notes = [
        f"<code>catalog.csv</code>: the table whose train and valid rows have the hash <code>{digest}</code>; <code>DIR</code>: the folder with its photographs."
    ]
    if "task.json" in _flags(parts):
        notes.append("<code>task.json</code>: the part <code>task</code> of this run's <code>run.json</code>.")
    notes.append("The same command on the same folder continues an interrupted training, or returns what is done.")
    return section("How to repeat it", f"<pre><code>{escape(train_command(parts))}</code></pre>{bullets(notes)}")


def train_command(parts):
    """The command line that trains this run again; only flags that differ from the defaults of the recipes."""
    return shlex.join(
        [
            "kfashion",
            "train",
            "catalog.csv",
            "--root",
            "DIR",
            "--run",
            f"runs/{parts.run.path.resolve().name}",
            *_flags(parts),
        ]
    )


def _flags(parts):
    task = _task_argument(parts.task)
    flags = ["--task", task] if task else []
    flags += ["--split", "all"] if parts.recipe.get("split") == "all" else []
    for value in (parts.preprocess, parts.config):
        for field in fields(value):
            chosen = getattr(value, field.name)
            if chosen != field.default:
                flags += flag_words(field.name, chosen)
    return flags


def flag_words(name, value):
    """A field of a recipe as words of a command line; [] for what is left open."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    if isinstance(value, (list, tuple)):
        return [f"--{flag}", *map(str, value)] if value else []
    return [] if value is None else [f"--{flag}", str(value)]


def _task_argument(task):
    """None where the label columns alone give this task; else a known task's name, or a file to be made of run.json."""
    plain = all(
        HEADS.get(head.name) == head or (not head.multi and head.weight == 1 and not head.parents)
        for head in task.heads
    )
    if plain and task.name == "_".join(head.name for head in task.heads):
        return None
    return task.name if TASKS.get(task.name) == task else "task.json"
