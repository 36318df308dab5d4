"""How hostile files are read: none may crash the program, take long, or fill the memory.

    python benchmarks/reading.py --data ../data/attacks

Every file below the folder is read: PDF, DOCX, HTML and CSV as what they are, XML as a page and as
the inside of a Word document, and everything else as text, as a page and as a table. Prints a line
for each refusal with `--verbose`; the last line is a JSON object:

- `files`, `read`, `refused`: readings, and how they ended; a refusal has its reason;
- `crashed`: anything else that was raised; `broken_off`: refusals because the reader died;
- `longest_s`: seconds of the longest reading, with cutting into sections;
- `peak_mb`: most memory that the reading process had.
"""

import argparse
import io
import json
import resource
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from opsbot.errors import InvalidInputError
from opsbot.retrieval.articles import read_article
from opsbot.retrieval.paths import SIDECAR
from opsbot.retrieval.sandbox import Sandbox
from opsbot.retrieval.sources import Sources
from opsbot.retrieval.structure import find_sections

TYPES = "[Content_Types].xml"
DOCUMENT = "word/document.xml"
OFFICE = "http://schemas.openxmlformats.org"


def main() -> None:
    """Read all files of a folder and print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--verbose", action="store_true")
    given = options.parse_args()
    counts, longest = Counter[str](), 0.0
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        folder = Path(name)
        for path, content in list_readings(given.data):
            began = time.perf_counter()
            outcome, reason = read(folder, sandbox, path, content)
            seconds = time.perf_counter() - began
            longest = max(longest, seconds)
            counts.update(["files", outcome])
            counts["broken_off"] += "break off" in reason
            if given.verbose and reason:
                print(f"{seconds:6.2f} s  {outcome}: {reason}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    names = ("files", "read", "refused", "crashed", "broken_off")
    figures = {name: counts[name] for name in names}
    print(json.dumps({**figures, "longest_s": round(longest, 2), "peak_mb": round(peak)}))


def list_readings(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield file names with the format they are to be read as, and their bytes."""
    for number, path in enumerate(sorted(p for p in folder.rglob("*") if p.is_file())):
        content, suffix = path.read_bytes(), path.suffix.lower()
        name = f"{number}-{path.stem[:60]}"
        if suffix in {".pdf", ".docx", ".html", ".htm", ".csv"}:
            yield f"{name}{suffix}", content
        elif suffix in {".xml", ".xsl", ".xsd", ".xxe", ".svg"}:
            yield f"{name}.html", content
            yield f"{name}.docx", wrap_document(content)
        else:
            for form in (".txt", ".html", ".csv"):
                yield f"{name}{form}", content


def wrap_document(content: bytes) -> bytes:
    """Return a Word document whose text part is these bytes."""
    main_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    types = (
        f'<Types xmlns="{OFFICE}/package/2006/content-types">'
        f'<Default Extension="rels" ContentType="{OFFICE}/package/2006/relationships"/>'
        f'<Override PartName="/{DOCUMENT}" ContentType="{main_type}"/></Types>'
    )
    relations = (
        f'<Relationships xmlns="{OFFICE}/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument/2006/relationships/officeDocument" Target="{DOCUMENT}"/>'
        "</Relationships>"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(TYPES, types)
        file.writestr("_rels/.rels", relations)
        file.writestr(DOCUMENT, content)
    return packed.getvalue()


def read(folder: Path, sandbox: Sandbox, path: str, content: bytes) -> tuple[str, str]:
    """Read one file; return `read`, `refused` or `crashed`, and why."""
    (folder / path).write_bytes(content)
    (folder / (path + SIDECAR)).write_text("title: x\naudience: staff\n", encoding="utf-8")
    try:
        article = read_article(Sources(folder), path, sandbox.parse)
        find_sections(article.text)
    except InvalidInputError as error:
        return "refused", str(error)
    except Exception as error:  # noqa: BLE001  (this is what is counted)
        return "crashed", f"{path}: {error!r}"
    return "read", ""


if __name__ == "__main__":
    main()
