"""The audit trail: who changed what, its chain and its heads."""
