"""A recipe in words: what a network starts from, what it sees, and how it is trained."""

from html import escape

OPTIMISER = "AdamW"
STARTS = {
    "imagenet": "the published ImageNet weights",
    "preset": "the weights that the preset brings",
    "run": "the run {}",
    "file": "the file {}",
}
REGIONS = {
    "annotation": "drawn by annotators",
    "none": "not given, so the whole picture is used",
    "hand": "drawn by hand",
}
TAPS = {"last": "the last layer", "stages": "mean, deviation and maximum of the last two stages"}
VARIANTS = {1: "each picture", 2: "each picture and its mirror image"}
AUGMENTED = {
    "none": "pictures unchanged",
    "light": "light augmentation (mirror, shift, zoom, brightness, colour)",
    "strong": "strong augmentation (turned and partly erased, too)",
    "randaugment": "two random operations on each picture (RandAugment)",
}
BALANCED = {
    "none": "",
    "sqrt": "rare classes count more (square root of their share)",
    "full": "all classes count the same (weights)",
    "sample": "rare classes drawn more often",
    "focal": "what is already known counts less (focal loss)",
    "logit": "all classes count the same (logit adjustment)",
}
MIXED = {
    "none": "",
    "mixup": "pictures and labels interpolated (MixUp)",
    "cutmix": "rectangles of pictures exchanged (CutMix)",
    "both": "MixUp or CutMix, one of them a batch",
}


# What it starts from --------------------------------------------------------------------------------------------------


def network(run):
    """Backbone and starting weights of a Run (or its Record), HTML."""
    backbone = escape(run.config.backbone)
    if not run.config.start.pretrained:
        return f"{backbone}, from random weights"
    return f"{backbone}, starting from {starting_weights(run)}"


def starting_weights(run):
    """Pretrained weights and their hash, HTML."""
    start, digest = run.config.start, run.weights_sha256
    name = escape(STARTS[start.kind].format(start.name))
    return f"{name} (sha256 <code>{escape(digest[:12])}</code>)" if digest else name


# What it sees ---------------------------------------------------------------------------------------------------------


def pixels(preprocess):
    """What a `Preprocess` does."""
    region = {"none": "the whole picture", "box": "cut to the row's box"}[preprocess.crop]
    if preprocess.crop == "box" and preprocess.margin:
        region += f" with a margin of {preprocess.margin:.0%}"
    if preprocess.mask == "polygon":
        region += f", everything outside its polygon painted {_grey(preprocess.fill)}"
    fit = f"padded with {_grey(preprocess.fill)}" if preprocess.fit == "pad" else "stretched"
    return f"{region}, {fit} to {preprocess.size} × {preprocess.size}, JPEG quality {preprocess.quality}"


def _grey(value):
    return {0: "black", 255: "white"}.get(value, f"grey {value}")


def regions_read(preprocess):
    """Which of a row's regions change the pixels, in words; empty = none."""
    read = {"box": preprocess.crop == "box", "polygon": preprocess.mask == "polygon"}
    return " and ".join(name for name, on in read.items() if on)


def region_shares(regions):
    """{who found a region: share of rows} in words, HTML; empty = nothing is known."""
    return ", ".join(f"{share:.1%} {escape(_found_by(name))}" for name, share in regions.items())


def _found_by(name):
    return REGIONS.get(name, f"found by {name}")


def region_models(regions):
    """The names of {who found a region: share of rows} that are models, a list."""
    return [name for name in regions if name not in REGIONS]


# How it is trained ----------------------------------------------------------------------------------------------------


def training(config):
    """How a `TrainConfig` trains: the classifier, the fine-tuning, what both do to classes and labels."""
    tuned = bool(config.fine_tune_epochs)
    said = [_classifier(config)] if config.pretrained or not tuned else []
    said.append(_fine_tuning(config) if tuned else "no fine-tuning")
    return "; ".join([*said, f"seed {config.seed}"])


def _classifier(config):
    """How the classifier on frozen features was fitted."""
    solved = config.classifier == "linear"
    trained = f"a {config.classifier} classifier trained for {config.classifier_epochs} epochs"
    fitted = "a linear classifier solved" if solved else f"{trained} (rate {config.learning_rate:g})"
    second = "second opinions take a share of the label, chosen by cross-validation" if config.sub_labels else ""
    labels = [] if solved or config.fine_tune_epochs else _of_labels(config)
    return _joined([f"{fitted} on frozen features ({_features(config)})", BALANCED[config.balance], second, *labels])


def _features(config):
    """Which features the classifier reads, of which variants of a picture."""
    taps = TAPS[config.taps or "last"]
    sizes = " and ".join(map(str, config.sizes))
    seen = f"{taps}, seen at {sizes} pixels" if sizes else taps
    variants = VARIANTS.get(config.variants, f"{config.variants} variants of each picture")
    return f"{seen}; {variants}"


def _fine_tuning(config):
    pasted = f"{config.swap:.0%} of the people pasted on other backgrounds" if config.swap else ""
    averaged = f"a moving average of the weights is kept (momentum {config.ema:g})" if config.ema else ""
    faster = (
        f"the classifier's rate {config.classifier_factor:g} times as high" if config.classifier_factor != 1 else ""
    )
    return _joined([
        f"{_what_learned(config)} for {_length(config)}: {OPTIMISER}, {_rate(config)}",
        faster,
        f"weight decay {config.weight_decay:g}",
        f"batches of {config.batch_size}",
        AUGMENTED.get(config.augment, ""),
        pasted,
        "" if config.pretrained else BALANCED[config.balance],
        *_of_labels(config),
        averaged,
        "half precision where a GPU gains by it" if config.precision == "auto" else "",
    ])  # fmt: skip


def _what_learned(config):
    verb = "fine-tuned" if config.pretrained else "trained"
    if config.unfreeze is None:
        return f"the whole network {verb}"
    if config.unfreeze == 0:
        return f"the classifier {verb}"
    return f"the classifier and the top {config.unfreeze} layers of the backbone {verb}"


def _length(config):
    epochs = f"{config.fine_tune_epochs} epochs"
    if not config.stop_after:
        return epochs
    return f"up to {epochs}, ended after {config.stop_after} epochs without a lower validation loss"


def _of_labels(config):
    """What training does to labels and loss."""
    yield MIXED[config.mix]
    yield f"label smoothing {config.label_smoothing:g}" if config.label_smoothing else ""
    yield "a loss that forgives wrong labels (generalized cross-entropy)" if config.loss == "generalized" else ""
    yield f"{config.parent_share:.0%} of the loss taken over the parent groups" if config.parent_share else ""


def _rate(config):
    start = config.fine_tune_rate if config.pretrained else config.learning_rate
    grown = f"grown from 0 over {config.warmup:g} epochs" if config.warmup else ""
    epochs = f"{config.every} epochs" if config.every > 1 else "epoch"
    falling = {
        "constant": "",
        "step": f"× {config.drop:g} every {epochs}",
        "cosine": "sinking to 0 along a cosine",
        "plateau": f"× {config.drop:g} after {config.patience} epochs without a lower validation loss",
    }[config.schedule]
    return _joined([f"rate {start:g}", grown, falling])


def _joined(said):
    return ", ".join(text for text in said if text)
