"""Models fitted to outcomes: MMRM, linear, logistic, their terms and corrections."""
