"""The pieces of a report's page: HTML of sections, lists, tables and pictures. No network, no script."""

import base64
from html import escape

from kfashion_utils.plots.style import DPI, png
from kfashion_utils.reports.template import PAGE, STYLE

FIGURE_DPI = 150  # sharp on a phone's screen
WIDE = 520  # pixels: a wider figure is scrolled on a phone, not shrunk until nothing can be read


def page(title, lead, sections):
    """The whole document.

    Args:
        title: plain text.
        lead: HTML of the line under it.
        sections: HTML texts; empty ones are left out.
    """
    return PAGE.substitute(title=escape(title), style=STYLE.strip(), lead=lead, body=lines(*sections))


def lines(*pieces):
    """HTML texts below each other; empty ones are left out."""
    return "\n".join(piece for piece in pieces if piece)


def section(title, content, kind="part"):
    return f'<section class="{kind}">\n<h2>{title}</h2>\n{content}\n</section>'


def element(name, content, kind=""):
    """One element around HTML; `kind` is the class that the style sheet knows it by."""
    opened = f'{name} class="{kind}"' if kind else name
    return f"<{opened}>{content}</{name}>"


def bullets(items):
    """A list of HTML texts."""
    return element("ul", "".join(element("li", item) for item in items))


def facts(pairs):
    """Names beside what is known of them, HTML both; an empty text is left out."""
    return element("dl", "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in pairs if text))


def table(header, rows, kind="figures"):
    """Cells are HTML; the first of a row names it."""
    body = [row_name(first) + "".join(element("td", cell) for cell in cells) for first, *cells in rows]
    return scrolled_table(header, body, kind)


def row_name(content):
    """The cell that names a row."""
    return f'<th scope="row">{content}</th>'


def scrolled_table(header, body, kind):
    """A table of HTML texts, one a column's name and one the cells of a row; on a phone a wide one is scrolled."""
    names = "".join(f'<th scope="col">{name}</th>' for name in header)
    head = element("thead", element("tr", names))
    whole = element("table", head + element("tbody", "".join(element("tr", cells) for cells in body)), kind)
    return f'<div class="scroll" tabindex="0">{whole}</div>'


def image(data, kind, alt, **attributes):
    """A picture within the page: bytes of a `jpeg` or `png`."""
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    encoded = base64.b64encode(data).decode()
    return f'<img src="data:image/{kind};base64,{encoded}" alt="{escape(alt)}"{more}>'


def figure(drawn, alt):
    """A matplotlib figure."""
    width = round(drawn.get_figwidth() * DPI)
    kind = "plate wide" if width > WIDE else "plate"
    drawing = image(png(drawn, FIGURE_DPI), "png", alt, width=width)
    return f'<div class="{kind}" tabindex="0">{drawing}</div>'


def card(right, pictures, caption):
    """A picture with what is said below it; its frame says whether the answer is right."""
    content = pictures + element("figcaption", caption)
    return element("figure", content, "right" if right else "wrong")
