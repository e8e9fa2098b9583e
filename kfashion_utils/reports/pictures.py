"""The pictures of a report: the most confident mistakes and a random draw."""

from html import escape

import numpy as np
import pandas as pd

from kfashion_utils import errors
from kfashion_utils.errors import ImageRejected
from kfashion_utils.evaluation.judgement import judge_heads
from kfashion_utils.images import decoding
from kfashion_utils.plots.pictures import shrink
from kfashion_utils.reports.page import card, element, image, lines, section
from kfashion_utils.reports.wording import RIGHT, WRONG, both, label

PICTURES = 24  # half confident mistakes, half drawn
PICTURE_SIZE = 224  # pixels, at most
SMALL = 100  # pixels: below that single pixels are shown
JPEG_QUALITY = 82
SEED = 0  # of the drawn pictures
MISTAKES = "Look here first: a wrong label in the data, a picture that shows two things, or a real weakness."
DRAWN = f"Among the other validation photos, seed {SEED}: what is normal."
ANSWERS = ["id", "head", "truth", "answer", "right", "confidence", "scores"]


def pictures(parts):
    """The section with confident mistakes and drawn pictures."""
    if parts.root is None:
        return ""
    answers = judge_answers(parts)
    mistakes, drawn = choose_pictures(answers)
    blocks = [
        _block(parts, "The most confident mistakes", MISTAKES, answers, mistakes),
        _block(parts, "Drawn at random", DRAWN, answers, drawn),
    ]
    content = lines(*blocks)
    return section("Pictures, as the model saw them", content) if content else ""


def _block(parts, title, text, answers, ids):
    if not ids:
        return ""
    rows = parts.catalog.drop_duplicates("id").set_index("id", drop=False)
    cards = [_card(parts, rows.loc[row_id].to_dict(), answers[answers["id"] == row_id]) for row_id in ids]
    return element("h3", title) + element("p", text) + element("div", "".join(cards), "cards")


# Choosing -------------------------------------------------------------------------------------------------------------


def judge_answers(parts):
    """A DataFrame with one row for each head and annotated photo (or catalog row, where a head is judged by row):
    `id, head, truth, answer, right, confidence` (0..1) and `scores` `(classes,)`."""
    found = []
    for head in map(parts.head, parts.judged):
        (judged,) = judge_heads(parts.of_head(head), parts.catalog, heads=[head])
        truth, answers = head.decode(judged.actual), head.decode(judged.scores)
        names, confidence = [head.name] * len(judged), _confidence(judged)
        found += zip(judged.ids, names, truth, answers, judged.right, confidence, judged.scores, strict=True)
    return pd.DataFrame(found, columns=ANSWERS)


def _confidence(judged):
    """How sure each answer is, float `(n,)`: its probability; where each class is a yes or no, 0.5..1, that of the
    surest wrong class, else of the least sure one."""
    if not judged.head.multi:
        return judged.scores.max(axis=1)
    sure = np.maximum(judged.scores, 1 - judged.scores)
    wrong = judged.answered != judged.actual
    surest_wrong = np.where(wrong, sure, 0).max(axis=1)
    return np.where(judged.right, sure.min(axis=1), surest_wrong)


def choose_pictures(answers, count=PICTURES, seed=SEED):
    """Ids to show: (most confident mistakes, a random draw of other photos), `count` in all where there are as many.

    A photo's mistake is that of its head with the most confident wrong answer.
    """
    wrong = answers[~answers["right"].astype(bool)].groupby("id", sort=True)["confidence"].max()
    mistakes = wrong.sort_values(ascending=False, kind="stable").index[: count // 2].tolist()
    others = sorted(set(answers["id"]) - set(mistakes))
    order = np.random.default_rng(seed).permutation(len(others))[: count - len(mistakes)]
    return mistakes, [others[number] for number in order]


# Cards ----------------------------------------------------------------------------------------------------------------


def _card(parts, row, answers):
    """A photograph with the answers that were given for it."""
    with_head = len(parts.run.task.heads) > 1
    said = [_answer(parts.head(answer["head"]), answer, with_head) for answer in answers.to_dict("records")]
    caption = "".join(said) + element("small", escape(str(row["id"])))
    return card(bool(answers["right"].all()), _photograph(parts, row), caption)


def _answer(head, answer, with_head):
    scores = dict(zip(head.classes, answer["scores"], strict=True))
    named = [name for name in answer["answer"].split("|") if name in scores]
    said = ", ".join(f"{both(name)} {scores[name]:.2f}" for name in named) or "none"
    if with_head:
        said = f"{element('em', both(head.name))} {said}"
    return verdict(answer["right"], said, answer["truth"])


def verdict(right, said, truth):
    """An answer, HTML, with its sign; the truth where it is another one."""
    if right:
        return element("p", f"{RIGHT} {said}")
    return element("p", f"{WRONG} {said}") + element("p", f"truth: {label(truth)}")


def _photograph(parts, row):
    try:
        pixels = parts.run.preprocess.apply(row["path"], row, parts.root)
    except ImageRejected as error:
        return _placeholder(f"{error.reason}: {error.detail or errors.REASONS.get(error.reason, '')}")
    except OSError as error:
        return _placeholder(str(error))
    return thumbnail(pixels, f"photo {row['id']}")


def _placeholder(reason):
    return element("div", f"no picture<br>{escape(reason)}", "placeholder")


def thumbnail(pixels, alt):
    """A picture `(size, size, 3)` uint8, at most `PICTURE_SIZE` wide."""
    size = min(PICTURE_SIZE, pixels.shape[0])
    shown = shrink(pixels, size, size) if size < pixels.shape[0] else pixels
    kind = {"class": "pixelated"} if size < SMALL else {}
    return image(decoding.encode_jpeg(shown, JPEG_QUALITY), "jpeg", alt, width=size, height=size, **kind)
