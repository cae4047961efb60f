"""Statistics of the trial: numpy arrays in, frozen results out; no Django below this line.

Models       terms, coordinates -> patterns, likelihood -> mmrm -> small_sample; linear; logistic
Description  descriptives, change, responders, responder_rules, baseline_table
Comparison   effects, ranks, proportions, equivalence, adjustment, multivariate_t
What if      imputation, reference_based, rerandomisation, dose, mediation, exposure
Planning     power, simulation, interim, reliability
One trial    plan, plan_reading, trial_table -> modelled, described, sensitivity -> analysis,
             comparisons, records

Conventions: NaN marks a missing value on the way in; on the way out there is never NaN nor
infinity: what cannot be estimated is `None` with a reason, or raises an error of `errors`. Arrays
are aligned by participant. Intervals are two-sided, 95 % unless `level` says otherwise.
"""
