"""From rows to the report and the files of the export."""
