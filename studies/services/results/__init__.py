"""From rows to outcomes, to the analysis by the plan, and to the files of the export."""
