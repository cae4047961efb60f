"""Answers that are missing: imputation and reference-based assumptions."""
