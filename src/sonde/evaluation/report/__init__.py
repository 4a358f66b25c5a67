"""Writes `report.html`: one file that opens offline and says what was asked, the answer, and how sure it is."""

from sonde.evaluation.report.write import write_report

__all__ = ["write_report"]
