"""The report of a replay: charts, one page, tables for the terminal, and a summary for machines."""

from equipoise.report.summary import summarise, to_json
from equipoise.report.table import render
from equipoise.report.write import Report, check_directory, write_report

__all__ = ["Report", "check_directory", "render", "summarise", "to_json", "write_report"]
