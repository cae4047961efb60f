"""Before and during the trial: power, simulation, interim looks, re-randomisation."""
