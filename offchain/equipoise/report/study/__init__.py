"""The page of a backtest study: charts, one file of HTML, a table for the terminal."""

from equipoise.report.study.table import render_equal_risk, render_study
from equipoise.report.study.write import StudyReport, write_study

__all__ = ["StudyReport", "render_equal_risk", "render_study", "write_study"]
