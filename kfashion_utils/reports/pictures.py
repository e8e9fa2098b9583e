"""The pictures of a report: the most confident mistakes, a random draw, and where the network looked."""

from html import escape

import numpy as np
import pandas as pd

from kfashion_utils import errors
from kfashion_utils.errors import ImageRejected, InputError
from kfashion_utils.images import decoding
from kfashion_utils.plots.pictures import overlay_heat, shrink
from kfashion_utils.reports.page import both, image, label, percent, section
from kfashion_utils.tables.labels import NONE_APPLIES, NOT_ANNOTATED
from kfashion_utils.tables.predictions import average_photos, head_scores

PICTURES = 24  # half confident mistakes, half drawn
HEATED = 8  # pictures with their heat, half confident mistakes, half right answers
PICTURE_SIZE = 224  # pixels, at most
SEED = 0  # of the drawn pictures


def pictures(parts):
    """The section with confident mistakes and drawn pictures."""
    if parts.root is None:
        return ""
    answers = judge_answers(parts)
    mistakes, drawn = choose_pictures(answers)
    rows = parts.catalog.drop_duplicates("id").set_index("id", drop=False)
    blocks = []
    for title, text, chosen in (
        (
            "The most confident mistakes",
            "Look here first: a wrong label in the data, a picture that shows two things, or a real weakness.",
            mistakes,
        ),
        ("Drawn at random", f"Among the other validation photos, seed {SEED}: what is normal.", drawn),
    ):
        if chosen:
            cards = "".join(
                _card(parts, rows.loc[row_id].to_dict(), answers[answers["id"] == row_id]) for row_id in chosen
            )
            blocks.append(f'<h3>{title}</h3><p>{text}</p><div class="cards">{cards}</div>')
    return section("Pictures, as the model saw them", "\n".join(blocks)) if blocks else ""


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
    said = (
        ", ".join(f"{both(name)} {scores[name]:.2f}" for name in answer["answer"].split("|") if name in scores)
        or "none"
    )
    title = f"<em>{both(head.name)}</em> " if name_head else ""
    if answer["right"]:
        return f'<p><b class="yes">✓ right</b> {title}{said}</p>'
    return f'<p><b class="no">✗ wrong</b> {title}{said}</p><p>truth: {label(answer["truth"])}</p>'


def _photograph(parts, row):
    try:
        pixels = parts.preprocess.apply(row["path"], row, parts.root)
    except (ImageRejected, OSError) as error:
        reason = (
            f"{error.reason}: {error.detail or errors.REASONS.get(error.reason, '')}"
            if isinstance(error, ImageRejected)
            else str(error)
        )
        return f'<div class="placeholder">no picture<br>{escape(reason)}</div>'
    return _thumbnail(pixels, f"photo {row['id']}")


def _thumbnail(pixels, alt):
    size = min(PICTURE_SIZE, pixels.shape[0])
    data = decoding.encode_jpeg(shrink(pixels, size, size) if size < pixels.shape[0] else pixels, 82)
    return image(data, "jpeg", alt, width=size, height=size, **({"class": "pixelated"} if size < 100 else {}))


# Heat -----------------------------------------------------------------------------------------------------------------


def find_heat(parts):
    """An `Explanation` of a few answers of the first judged head, confident mistakes first, and their rows of `judge_answers` by id.

    Raises:
        InputError: no weights, a backbone without a map, no readable picture; Keras cannot be loaded.
    """
    parts.run.weights  # noqa: B018 - before Keras is loaded in vain
    try:
        from kfashion_utils.training.explanation import explain
    except ImportError as error:
        raise InputError(f"Keras cannot be loaded here ({error})") from error
    answers = judge_answers(parts)
    answers = answers[answers["head"] == answers["head"].iloc[0]].set_index("id")
    wrong = (
        answers[~answers["right"].astype(bool)]
        .sort_values("confidence", ascending=False, kind="stable")
        .index[: HEATED // 2]
        .tolist()
    )
    right = sorted(answers.index[answers["right"].astype(bool)])
    drawn = np.random.default_rng(SEED).permutation(len(right))[: HEATED - len(wrong)]
    chosen = wrong + [right[number] for number in drawn]
    rows = parts.catalog.drop_duplicates("id").set_index("id", drop=False).loc[chosen].reset_index(drop=True)
    photos = average_photos(parts.predictions)
    return explain(parts.run, rows, parts.root, head=answers["head"].iloc[0], predictions=photos), answers.loc[chosen]


def where_it_looked(parts):
    """The section with Grad-CAM."""
    if parts.heat is None:
        return ""
    explanation, answers = parts.heat
    lines = zip(explanation.table.to_dict("records"), explanation.pictures, explanation.heats, strict=True)
    cards = "".join(_heat_card(row, answers.loc[row["id"]], picture, found) for row, picture, found in lines)
    text = (
        "Each picture beside its heat: bright is what speaks for the answer (Grad-CAM: the last maps of the network, weighted by what they do for "
        f"the answer). {_on_garments(explanation.table)}"
    )
    if parts.recipe.get("split") == "all":
        text += " The answers are out of fold, the heat is of the final model, which has learned from these pictures."
    return section("Where it looked", f'<p>{text}</p><div class="cards heat">{cards}</div>')


def _on_garments(found):
    known = found[found["on_garments"].notna()]
    if known.empty:
        return "None of these pictures has a polygon, so the share of the heat on garments is unknown."
    return (
        f"In {len(known)} picture{'s' * (len(known) > 1)} with polygons <b>{percent(known['on_garments'].mean())}</b> of the heat lies on the garments, which cover "
        f"{percent(known['garment_area'].mean())} of the area; heat spread evenly would have no more than that there."
    )


def _heat_card(row, answer, picture, found):
    right = bool(answer["right"])
    sign = '<b class="yes">✓ right</b>' if right else '<b class="no">✗ wrong</b>'
    truth = "" if right else f"<p>truth: {label(answer['truth'])}</p>"
    share = (
        ""
        if np.isnan(row["on_garments"])
        else f"<p>{row['on_garments']:.0%} of the heat on {row['garment_area']:.0%} of the area</p>"
    )
    pair = _thumbnail(picture, f"explained {row['id']}") + _thumbnail(overlay_heat(picture, found), f"heat {row['id']}")
    caption = f"<p>{sign} {both(row['class'])} {row['probability']:.2f}</p>{truth}{share}<small>{escape(str(row['id']))}</small>"
    return f'<figure class="{"right" if right else "wrong"}"><div class="pair">{pair}</div><figcaption>{caption}</figcaption></figure>'
