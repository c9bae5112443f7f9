"""Files for the importer, made of rows: the smallest CSV and XLSX that spreadsheets would write."""

import gzip
import io
import zipfile

from provender.importing import actions
from provender.importing.actions import Plan

HEADER = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
MAPPING = {
    "number": "InvoiceNo",
    "sku": "StockCode",
    "description": "Description",
    "quantity": "Quantity",
    "date": "InvoiceDate",
    "price": "UnitPrice",
    "customer": "CustomerID",
}


def row(
    number="536365", sku="85123A", what="T-LIGHT HOLDER", quantity="6", date="2010-12-01", price="2.55", who="17850"
):
    return [number, sku, what, quantity, date, price, who]


def csv_of(*rows, header=HEADER, encoding="utf-8"):
    lines = [",".join(map(_quoted, cells)) for cells in (header, *rows)]
    return ("\n".join(lines) + "\n").encode(encoding)


def _quoted(text):
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text


def gz_of(*rows):
    return gzip.compress(csv_of(*rows))


def plan(**changed):
    return Plan(**{"mapping": MAPPING, "create_missing": True} | changed)


def stage(supplier, content, name="invoices.csv", told=actions.hear_nothing, **changed):
    return actions.stage(supplier, io.BytesIO(content), name, plan(**changed), told=told)


def bring_in(supplier, content, name="invoices.csv", **changed):
    return actions.apply(stage(supplier, content, name, **changed))


def xlsx_of(*rows, header=HEADER, first_row=1):
    """Strings, numbers, and dates as Excel keeps them: `Day(40513)` is 1 December 2010."""
    lines = "".join(_xml_row(at, cells) for at, cells in enumerate((header, *rows), start=first_row))
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{lines}</sheetData></worksheet>'
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as book:
        for name, text in {**_FRAME, "xl/worksheets/sheet1.xml": sheet}.items():
            book.writestr(name, f'<?xml version="1.0"?>{text}')
    return made.getvalue()


class Day(float):
    """A number that a sheet shows as a date."""


def _xml_row(at, cells):
    return f'<row r="{at}">' + "".join(_xml_cell(f"{chr(65 + n)}{at}", cell) for n, cell in enumerate(cells)) + "</row>"


def _xml_cell(place, cell):
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{cell}</t></is></c>'
    return (
        f'<c r="{place}"{" s=" + chr(34) + "1" + chr(34) if isinstance(cell, Day) else ""}><v>{float(cell)!r}</v></c>'
    )


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FRAME = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEETS}.sheet.main+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Invoices" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    "</styleSheet>",
}
