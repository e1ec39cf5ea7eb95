"""The auditor: whether what was recorded keeps its promises, found out with nothing of the desk but the schemas."""

from placet.faces.auditor.audit import audit
from placet.faces.auditor.ledger import Ledger
from placet.faces.auditor.report import Check, Report, Violation

__all__ = ["Check", "Ledger", "Report", "Violation", "audit"]
