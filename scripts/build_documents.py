#!/usr/bin/env python3
# ruff: noqa: RUF001 -- dashes and multiplication signs belong in the words
"""Write the PDF and DOCX articles of the sample shop, with their sidecars.

Run `python scripts/build_documents.py` after changing a word below, and commit
what it writes. Two runs give the same bytes: nothing in the files depends on
the clock, and nothing is compressed, so that no zlib version shows in them.

The words are written as in Markdown: front matter, which becomes the sidecar,
then headings, lists, tables, and warnings after a `>`. A heading is one line;
other pieces may run on until the next mark or an empty line.
"""

import html
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import docx
import yaml
from docx.shared import Pt
from reportlab.lib import colors, pagesizes
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, TableStyle

SHOP = "Lumen & Loom"
KNOWLEDGE = Path(__file__).parents[1] / "knowledge"

TIDE_SERVICE = """\
title: Tide service manual
audience: public
product: [LL-GRD-02, LL-SPR-01]
language: en
updated: 2026-06-30
safety: true
---
This manual is for owners of the Tide electric grinder (LL-GRD-02) who want to set, clean and
repair it at home. Steps marked "studio" are for our workshop, because they need measuring tools.
> Pull the mains plug before each step on the open grinder. The burrs are sharp, and they turn
for 2 seconds after the motor is off.
## Technical data
| Property | Value
| Power | 150 W, 220–240 V, 50 Hz
| Burrs | flat, steel, 54 mm
| Speed without beans | 1,350 turns a minute
| Hopper and grounds cup | 250 g of beans, 60 g of coffee
| Longest run | 60 seconds, then 3 minutes of rest
| Noise | 74 dB(A) at a distance of 1 m
| Size and weight | 130 × 200 × 340 mm, 2.7 kg
## Grind settings
The ring has 40 numbers. 1 is the finest, 40 the coarsest. Turn clockwise for coarser coffee. The
grams in a second were measured with a medium roast.
| Coffee | Number | Begin with | Grams in a second | Time for 20 g
| Espresso | 4–9 | 6 | 1.05 | 19 seconds
| Moka pot | 10–13 | 12 | 1.33 | 15 seconds
| AeroPress | 14–17 | 16 | 1.54 | 13 seconds
| Pour-over | 18–23 | 20 | 1.82 | 11 seconds
| French press | 28–32 | 30 | 2.50 | 8 seconds
| Cold brew | 35–38 | 36 | 2.86 | 7 seconds

Coffee that runs too fast and tastes sour needs a lower number. Coffee that runs too slowly and
tastes bitter needs a higher one. Change one number at a time for espresso, two for pour-over.
## Error codes
| Code | Meaning | What to do | Who
| E-01 | hopper missing or not locked | turn the hopper to the right until it clicks | you
| E-02 | grounds cup missing | push the cup in to the stop | you
| E-03 | motor too hot | wait 20 minutes with the hopper open | you
| E-04 | burrs blocked | unplug, empty the hopper, remove the stone or hard bean | you
| E-05 | hopper empty | fill in beans | you
| E-06 | ring between two numbers | turn the ring until it clicks | you
| E-07 | upper burr not seated | press the burr in, arrow to arrow | you
| E-08 | mains voltage below 200 V | use another socket, no extension lead | you
| E-09 | mains voltage above 255 V | unplug and ask an electrician | electrician
| E-10 | button pressed longer than 10 seconds | free and clean the button | you
| E-11 | timer lost its memory | set the timer again | you
| E-12 | temperature sensor fault | contact us | studio
| E-13 | speed sensor fault | contact us | studio
| E-14 | burr set worn | fit a new burr set (LL-SPR-01), then reset the counter | you
| E-15 | air vents blocked | clean the vents at the back | you
| E-16 | motor current too high three times | unplug and contact us | studio
| E-17 | control board fault | unplug, do not use, contact us | studio
## Maintenance plan
| Work | When | Minutes
| Brush the outlet | every week | 2
| Clean burrs and hopper | every 5 kg of coffee or four weeks | 15
| Check the zero point | after each change of burrs | 5
| Replace the burr set | after about 400 kg of coffee, code E-14 | 20

The Tide is never descaled: no water runs through it. Hopper and grounds cup are hand-wash only.
## Replace the burr set
You need the burr set LL-SPR-01, a size 2 cross-head screwdriver and a dry brush.
1. Run the grinder until the hopper is empty. Pull the mains plug.
1. Turn the hopper to the left and lift it off.
1. Turn the ring to 40 and lift out the upper burr carrier.
1. Loosen the three M4 screws of the upper burr and take the burr off.
1. Loosen the three M4 screws of the lower burr. Hold the disc with a folded cloth.
1. Brush both seats until they are bare metal. One crumb tilts the burr.
1. Lay in the new burrs, cutting edges facing each other.
1. Tighten all six screws crosswise with 1.2 Nm.
1. Put in the carrier, arrow to arrow, then the hopper.
1. Check the zero point as described below.
## Check and set the zero point
1. Leave the hopper empty and plug in the grinder.
1. Turn the ring slowly from 10 towards 1 while the motor runs.
1. Listen. Between 1 and 2 a light touch of steel may be heard. This is right.
1. If the burrs touch at 3 or above, switch off and pull the plug.
1. Turn the zero screw below the hopper with a 2 mm hex key. A quarter turn to the left moves the
zero point by one number.
1. Repeat until the touch is between 1 and 2.
## Reset the burr counter
Hold the wheel for 10 seconds while you put in the plug. The display shows "0". The counter begins
again at 0 kg, and E-14 goes out.
## When to send the Tide to the studio
- Codes E-12, E-13, E-16 or E-17
- A smell of burning, a crackle, or a cable that is damaged
- Burrs that still touch after three turns of the zero screw

The service with a burr set costs EUR 74.00 after the warranty of 36 months and takes about 10
working days. Send the grinder without beans, with the cup inside, in its own box.
"""

DRIFT_INSTALLATION = """\
title: Drift installation guide
audience: public
product: [LL-LMP-05]
language: en
updated: 2026-04-20
safety: true
---
This guide is for the electrician who connects the Drift pendant lamp (LL-LMP-05), and for the
owner who prepares the place. It holds for both sizes, small and large.
> Mains voltage can kill. Only a qualified electrician may connect this lamp. Switch off the
circuit at the fuse, secure it against being switched on again, and test that there is no voltage.
## Check before you begin
| Check | Value
| Mains | 220–240 V, 50 Hz, with earth wire
| Not allowed | 120 V networks, bathrooms, laundry rooms, outdoors
| Protection | class I, IP20
| Hook and anchor | must hold 10 kg
| Weight of the lamp | 1.9 kg with ceiling rose
## What is in the box
- Shade with LED head and 1.5 m of textile cable
- Ceiling rose, 120 mm, with terminal block and strain relief
- Hook, 8 mm anchor for concrete, and a 5 × 50 mm wood screw

Tools: voltage tester, wire stripper, torque screwdriver, drill with an 8 mm bit, ladder.
## The two sizes
| Property | Small | Large
| Shade diameter | 280 mm | 420 mm
| Height of the shade | 160 mm | 210 mm
| Power | 9 W | 15 W
| Light output | 800 lm | 1,400 lm
| Colour of the light | 2700 K | 2700 K
| LED life | 50,000 hours | 50,000 hours
## Height above table and floor
| Place | Lower edge of the shade
| Above a dining table | 600 to 700 mm above the table top
| Above a worktop | 700 to 800 mm above the worktop
| In a walkway | at least 2,100 mm above the floor

The cable can be shortened to 400 mm. It must not be made longer.
## Prepare the ceiling (owner or electrician)
1. Mark the place and look for cables and pipes with a detector.
1. Drill 8 mm wide and 50 mm deep in concrete. In wood, drill 3.5 mm first.
1. Put in anchor and hook. Turn until the hook sits firmly.
1. Hang a weight of 10 kg on the hook for one minute. The hook must not move.
## Connect the lamp (electrician only)
1. Switch off the fuse, secure it, and test for voltage on all wires.
1. Shorten the textile cable to the length you need, plus 150 mm.
1. Strip the sheath by 60 mm and each wire by 8 mm. Put on wire-end sleeves of 0.75 mm².
1. Lead the cable through the cap of the rose and through the strain relief.
1. Connect brown to L, blue to N, green and yellow to the earth sign. Tighten with 0.5 Nm.
1. Pull each wire with 20 N. No wire may move.
1. Close the strain relief. It carries the weight, not the terminals.
1. Hang the lamp on the hook and push up the cap until it touches the ceiling.
1. Tighten the small screw at the side of the cap with 0.3 Nm.
| Wire | Colour | Terminal
| Live | brown | L
| Neutral | blue | N
| Earth | green and yellow | earth sign
> The earth wire must be connected, because the shade is metal. Without earth the lamp must not be
switched on.
## Test after the installation
| Test | Limit
| Resistance of the earth wire, rose to shade | 0.3 ohm at most
| Insulation, 500 V | 1 megohm at least
| Light at full brightness, 10 minutes | no flicker, no hum
## Dimmers
Use a trailing-edge dimmer for LED with a minimum load of 5 W or less. Up to six Drift lamps may
share one dimmer of 100 W. Leading-edge dimmers make the lamp hum and flicker.
## Hand over to the owner
Fill in the record sheet: date, name of the company, values of the tests, type of dimmer. Give it
to the owner. It may be asked for in a warranty case, for 36 months.
"""

SHIPPING_CHART = """\
title: Shipping rates and size chart
audience: public
language: en
updated: 2026-10-05
---
Prices in euros, from Berlin. "Free from" is the value of the goods after discounts. The times are
working days after the parcel has left the studio.
## Shipping rates by country
| Country | Price | Free from | Working days
| Germany | EUR 4.90 | EUR 75 | 2–3
| Austria, Belgium, Luxembourg, Netherlands | EUR 8.90 | EUR 120 | 3–5
| Czechia, Denmark, France, Poland | EUR 8.90 | EUR 120 | 3–5
| Bulgaria, Croatia, Cyprus, Estonia, Finland, Greece, Hungary | EUR 12.90 | EUR 150 | 4–8
| Ireland, Italy, Latvia, Lithuania, Malta, Portugal, Romania | EUR 12.90 | EUR 150 | 4–8
| Slovakia, Slovenia, Spain, Sweden | EUR 12.90 | EUR 150 | 4–8
| United Kingdom | EUR 14.90 | EUR 180 | 4–7
| Switzerland | EUR 14.90 | EUR 180 | 4–6
| Norway | EUR 16.90 | EUR 200 | 5–8
| United States | EUR 22.90 | EUR 250 | 7–12

Express in Germany costs EUR 11.90 and arrives on the next working day when the order is paid by
14:00. There is no express for the Arc, the Lantern and engraved items.
## Surcharge for the Arc floor lamp
| Country | Surcharge
| Germany | EUR 19.00
| Other EU countries | EUR 39.00
| United Kingdom, Switzerland, Norway | EUR 59.00
| United States | not shipped

The surcharge stays when the order is above the "free from" limit. Drift and Tide are not shipped to
the United States, because they need 220–240 V.
## Worked examples
- Two Kiln mugs (EUR 48.00) to Berlin: shipping EUR 4.90, together EUR 52.90.
- One Halo (EUR 129.00) to Vienna: above EUR 120, so shipping is free.
- One Arc (EUR 249.00) to Paris: shipping is free, surcharge EUR 39.00, together EUR 288.00.
- One A5 notebook (EUR 18.00) to Oslo: shipping EUR 16.90, together EUR 34.90.
## Size chart: lamps
| Lamp | Width or diameter | Height | Cable | Weight
| Halo | 180 mm base, 310 mm reach | 420 mm | 2.0 m | 1.45 kg
| Ember | 160 mm | 260 mm | 1.8 m | 0.9 kg
| Arc | 320 mm base, 950 mm reach | 1,850 mm | 2.5 m | 8.2 kg
| Lantern | 110 mm | 230 mm | 1.0 m | 0.62 kg
| Drift, small | 280 mm | 160 mm | 1.5 m | 1.9 kg
| Drift, large | 420 mm | 210 mm | 1.5 m | 1.9 kg
## Size chart: cups, mugs and kettle
| Article | Volume | Width | Height
| Kiln mug | 320 ml | 85 mm | 95 mm
| Espresso cup | 80 ml | 62 mm | 60 mm
| Travel mug 350 ml | 350 ml | 72 mm | 165 mm
| Travel mug 500 ml | 500 ml | 76 mm | 215 mm
| Breakfast bowl | 550 ml | 150 mm | 70 mm
| Bud vase | 180 ml | 70 mm | 140 mm
| Loop kettle | 0.9 litres | 140 mm base | 175 mm
## Size chart: bags and paper
| Article | Size | Volume or pages | Largest load
| Canvas tote bag | 380 × 420 × 100 mm | 14 litres | 12 kg
| Roll-top daypack | 300 × 440 × 150 mm | 18 litres, 22 litres unrolled | 10 kg
| Zip pouch | 220 × 150 mm | 1 litre | 0.5 kg
| A5 notebook | 148 × 210 mm | 112 pages | –
| Pocket notebook | 90 × 140 mm | 64 pages | –

The daypack takes laptops up to 15 inches, at most 360 × 250 × 20 mm. Straps can be set between
420 and 880 mm.
"""

PARTNER_HANDBOOK = """\
title: Wholesale partner handbook
audience: public
language: en
updated: 2026-06-01
---
This handbook is for shops, museums, cafés and hotels that sell or use our products. It tells you
how to order, what you pay, and how we help.
## Who can become a partner
- You have a VAT number or a trade licence in the EU, the UK, the US, Norway or Switzerland.
- You have a physical shop, café, hotel or office.
- You do not sell on marketplaces only.
## How to begin
1. Write to trade@lumenandloom.example with the name, address, website and VAT number.
1. Add three photos of the shop and name the products that interest you.
1. Wait for our answer. It comes within 5 working days.
1. Place the first order of at least EUR 400 net and pay it in advance.
1. Use your access to the trade price list from then on.
## Discounts
| Order value, net, trade price | Discount on the net retail price
| from EUR 200 (later orders) | 40 %
| from EUR 400 | 40 %
| from EUR 1,500 | 45 %
| from EUR 4,000 | 50 %
| Spare parts, any value | 25 %
| Gift cards and final sale | none

Example: the Halo is EUR 129.00 with German VAT of 19 %, so EUR 108.40 net. With 40 % discount you
pay EUR 65.04 net.
## Pack sizes and lead times
| Group | Pieces in a pack | In stock | Made to order
| Mugs, bowls, plates | 6 | 5 working days | 4 to 6 weeks above 48 pieces
| Notebooks | 10 | 5 working days | 3 weeks above 200 pieces
| Bags | 5 | 5 working days | 10 weeks above 100 pieces
| Grinders | 2 | 5 working days | 8 weeks above 30 pieces
| Lamps | 1 | 5 working days | 5 weeks above 20 pieces
## Delivery
Delivery is free from EUR 600 net in Germany and from EUR 1,200 net in the EU. Below this we charge
the true cost of the carrier. Pallets need a place where a truck of 12 tonnes can stop.
## Payment
After the first order, invoices are due in 30 days. Companies outside the EU always pay in
advance. When an invoice is more than 14 days late, new orders wait until it is paid.
## Consignment for museum shops and galleries
The contract runs for at least 6 months. Your share is 35 % of the price. You count the stock on
the last working day of the month and report it within 5 working days.
## Damage, faults and returns
1. Photograph the pallet or box before you open it.
1. Report damage in transport within 5 working days, with photos.
1. Keep the goods until we have answered.

Unsold goods cannot be returned, unless this was agreed in writing. A customer of yours with a
warranty case may come to you or to us, with the receipt. We replace the article in your stock.
"""

ARTICLES = {
    "manuals/tide-service-manual.pdf": TIDE_SERVICE,
    "manuals/drift-installation-guide.pdf": DRIFT_INSTALLATION,
    "faqs/shipping-rates-and-size-chart.pdf": SHIPPING_CHART,
    "faqs/wholesale-partner-handbook.docx": PARTNER_HANDBOOK,
}

_PIECE = re.compile(r"(?:(##|>|\||1\.|-) )?(.*)")


def read_blocks(words: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each run of pieces of the same kind with its mark; a paragraph has none."""
    apart = re.sub(r"^(## .*)$", r"\n\1\n", words, flags=re.MULTILINE)
    pieces = re.split(r"\n\n+|\n(?=(?:>|\||1\.|-) )", apart.strip())
    marked = [_PIECE.findall(" ".join(piece.split()))[0] for piece in pieces]
    for mark, run in groupby(marked, key=lambda piece: piece[0]):
        yield mark, [text for _, text in run]


_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=10, leading=14, spaceAfter=6)
_CELL = ParagraphStyle("cell", _BODY, fontSize=9, leading=11.5, spaceAfter=0)
_ITEM = ParagraphStyle("item", _BODY, leftIndent=16, spaceAfter=3)
_BOLD = ParagraphStyle("bold", _BODY, fontName="Helvetica-Bold")
_HEAD_CELL = ParagraphStyle("head cell", _CELL, fontName="Helvetica-Bold")
_TITLE = ParagraphStyle("title", _BOLD, fontSize=22, leading=30)
_HEADING = ParagraphStyle("heading", _BOLD, fontSize=14, leading=18, spaceBefore=8, keepWithNext=1)
_RULED = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)
_MARGIN = 22 * mm
_TEXT_WIDTH = pagesizes.A4[0] - 2 * _MARGIN - 12  # the frame pads 6 points on each side


def _pdf_table(lines: list[str]) -> Any:
    """Draw a ruled table whose columns are as wide as their longest cells ask for."""
    rows = [line.split(" | ") for line in lines]
    lengths = [min(max(map(len, column)), 45) + 6 for column in zip(*rows, strict=True)]
    cells = [
        [Paragraph(html.escape(cell), _CELL if number else _HEAD_CELL) for cell in row]
        for number, row in enumerate(rows)
    ]
    widths = [_TEXT_WIDTH * length / sum(lengths) for length in lengths]
    return LongTable(cells, widths, style=_RULED, repeatRows=1, spaceBefore=6, spaceAfter=8)


def _pdf_block(mark: str, items: list[str]) -> Iterator[Any]:
    """Draw one block as what reportlab flows over the pages."""
    if mark == "|":
        yield _pdf_table(items)
        return
    for number, item in enumerate(items, start=1):
        text = html.escape(item)
        match mark:
            case "1.":
                yield Paragraph(text, _ITEM, bulletText=f"{number}.")
            case "-":
                yield Paragraph(text, _ITEM, bulletText="•")
            case ">":
                yield Paragraph(f"Warning: {text}", _BOLD)
            case _:
                yield Paragraph(text, _HEADING if mark else _BODY)


def _running_lines(about: dict[str, Any], canvas: Any, template: Any) -> None:
    """Draw the running head and the page number."""
    width, height = template.pagesize
    canvas.saveState()
    canvas.setFont("Helvetica", 8)
    canvas.drawString(_MARGIN, height - 12 * mm, f"{SHOP} – {about['title']}")
    canvas.drawString(_MARGIN, 10 * mm, f"Updated {about['updated']}")
    canvas.drawRightString(width - _MARGIN, 10 * mm, f"Page {template.page}")
    canvas.restoreState()


def render_pdf(about: dict[str, Any], words: str) -> bytes:
    """Return an article as a PDF."""
    target = io.BytesIO()
    template = SimpleDocTemplate(
        target,
        pagesize=pagesizes.A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        title=about["title"],
        author=SHOP,
        lang="en",
        pageCompression=0,
        invariant=1,
    )
    story = [Paragraph(about["title"], _TITLE)]
    for mark, items in read_blocks(words):
        story.extend(_pdf_block(mark, items))
    lines = partial(_running_lines, about)
    template.build(story, onFirstPage=lines, onLaterPages=lines)
    return target.getvalue()


_DOCX_STYLES = {"##": "Heading 1", "1.": "List Number", "-": "List Bullet", ">": "Quote", "": None}


def _docx_table(document: Any, lines: list[str]) -> None:
    """Add a table with ruled cells and a bold first row."""
    table = document.add_table(rows=0, cols=len(lines[0].split(" | ")), style="Table Grid")
    for number, line in enumerate(lines):
        for cell, text in zip(table.add_row().cells, line.split(" | "), strict=True):
            cell.paragraphs[0].add_run(text).bold = number == 0
    document.add_paragraph()


def _trim(document: Any) -> None:
    """Drop what python-docx's template brings along and the article does not use."""
    used = {"Normal", "Title", "Header", "Table Grid", "Normal Table", *_DOCX_STYLES.values()}
    for style in list(document.styles):
        if style.name.removesuffix(" Char") not in used:
            style.delete()
    for part in (document.part, document.part.package):
        for key, relation in list(part.rels.items()):
            if relation.reltype.endswith(("/stylesWithEffects", "/thumbnail")):
                del part.rels[key]


def _store(packed: bytes) -> bytes:
    """Return a zip with the same files, in a fixed order, undated and not compressed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as source, zipfile.ZipFile(target, "w") as copy:
        for name in sorted(source.namelist()):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            copy.writestr(entry, source.read(name))
    return target.getvalue()


def render_docx(about: dict[str, Any], words: str) -> bytes:
    """Return an article as a Word document."""
    document: Any = docx.Document()
    document.styles["Normal"].font.size = Pt(10.5)
    document.sections[0].header.paragraphs[0].text = f"{SHOP} – {about['title']}"
    document.add_heading(about["title"], level=0)
    for mark, items in read_blocks(words):
        if mark == "|":
            _docx_table(document, items)
        else:
            for item in items:
                document.add_paragraph(item, style=_DOCX_STYLES[mark])
    _trim(document)

    properties = document.core_properties
    properties.title, properties.author, properties.comments = about["title"], SHOP, ""
    properties.created = properties.modified = datetime.combine(about["updated"], time(), UTC)
    target = io.BytesIO()
    document.save(target)
    return _store(target.getvalue())


def build(folder: Path) -> list[Path]:
    """Write all documents and their sidecars below a folder and return their paths."""
    written = []
    for name, article in ARTICLES.items():
        front, words = article.split("---\n", maxsplit=1)
        path = folder / name
        sidecar = path.with_name(f"{path.name}.meta.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        render = render_docx if path.suffix == ".docx" else render_pdf
        path.write_bytes(render(yaml.safe_load(front), words))
        sidecar.write_bytes(front.encode())
        written += [path, sidecar]
    return written


if __name__ == "__main__":
    for _path in build(Path(sys.argv[1]) if len(sys.argv) > 1 else KNOWLEDGE):
        print(_path)
