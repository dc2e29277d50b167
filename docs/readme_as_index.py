"""MkDocs hook: the README is the first page, and links to files outside of docs/ become plain text."""

import re
from pathlib import Path

from mkdocs.structure.files import File

README = Path(__file__).parent.parent / "README.md"


def on_files(files, config):
    text = re.sub(r"\]\(docs/", "](", README.read_text(encoding="utf-8"))
    files.append(File.generated(config, "index.md", content=text))
    return files


def on_page_markdown(markdown, page, config, files):
    outside = r"\[([^\]]+)\]\(\.\./([^)#]+)[^)]*\)"
    return re.sub(outside, lambda m: m[1] if m[1] in m[2] else f"{m[1]} (`{m[2]}`)", markdown)
