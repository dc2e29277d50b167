"""Files inside the page: tables to download, and figures, as data URLs, so that the page needs no other file."""

from __future__ import annotations

import base64
import gzip
import html
from urllib.parse import quote

import pandas as pd


def csv_link(table: pd.DataFrame, name: str, what: str, digits: int = 17) -> str:
    """A link that downloads a table: compressed without scripts, as plain CSV with them.

    digits : significant digits of every number; the default is lossless.
    """
    form = None if digits >= 17 else f"%.{digits}g"
    packed = gzip.compress(table.to_csv(index=False, float_format=form).encode(), mtime=0)
    address = f"data:application/gzip;base64,{base64.b64encode(packed).decode()}"
    return (
        f'<a class="csv" download="{html.escape(name)}.csv.gz" data-name="{html.escape(name)}.csv" href="{address}">'
        f"Download {html.escape(what)} (CSV)</a>"
    )


def svg_image(svg: str, name: str) -> str:
    """An SVG document as an image, so that its ids and styles cannot clash with others."""
    # Percent-encoded: base64 is a third longer.
    address = quote(" ".join(svg.split()), safe=" =:/;,?!'()*+@-._~<>")
    return f'<img class="figure" loading="lazy" alt="{html.escape(name)}" src="data:image/svg+xml,{address}">'
