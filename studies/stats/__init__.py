"""Statistics of the trial: numpy arrays in, frozen results out; no Django below this line.

estimate.py      what an estimate is, and the one refusal: `NotEstimable`
descriptives.py  n, missing, mean, SD, median, quartiles, 95 % CI
change.py        change score and the change rate in its separately named forms
responders.py    proportion of responders with Wilson's interval

Conventions: NaN marks a missing value on the way in; on the way out there is never NaN nor
infinity: what cannot be estimated is `None` with a reason, or raises `NotEstimable`. Arrays are
aligned by participant. Intervals are two-sided, 95 % unless `level` says otherwise.
"""
