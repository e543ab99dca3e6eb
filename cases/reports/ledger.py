"""The ledger of cases (台账): one line each, with everything that a bureau's registers ask for; less on a screen."""

from cases.reports.document import Column, Shape
from cases.words import Section

# As the query of the ledger names them.
COLUMNS = (
    Column("number"),
    Column("opened_at", Shape.MOMENT),
    Column("source", Shape.WORD, Section.REPORTS, in_files=True),
    Column("problem", Shape.WORD, Section.PROBLEMS),
    Column("severity", Shape.WORD, Section.SEVERITIES),
    Column("facility"),
    Column("device_id", in_files=True),
    Column("kind", in_files=True),
    Column("district", in_files=True),
    Column("grid", in_files=True),
    Column("road"),
    Column("unit"),
    Column("reason", Shape.WORD, Section.REASONS, in_files=True),
    Column("state", Shape.WORD, Section.STATES),
    Column("accept_by", Shape.MOMENT, in_files=True),
    Column("accepted_at", Shape.MOMENT, in_files=True),
    Column("arrive_by", Shape.MOMENT, in_files=True),
    Column("arrived_at", Shape.MOMENT, in_files=True),
    Column("safe_at", Shape.MOMENT, in_files=True),
    Column("fix_by", Shape.MOMENT),
    Column("done_at", Shape.MOMENT),
    Column("closed_at", Shape.MOMENT),
    Column("outcome", Shape.WORD, Section.REPORTS),
    Column("found", Shape.WORD, Section.FINDINGS, in_files=True),
    Column("reworks", Shape.COUNT, in_files=True),
    Column("delays", Shape.COUNT, in_files=True),
    Column("bounces", Shape.COUNT, in_files=True),
    Column("colour", Shape.WORD, Section.COLOURS),
    Column("points", Shape.COUNT, in_files=True),
    Column("parent", in_files=True),
    Column("incident", in_files=True),
    Column("campaign", in_files=True),
)
