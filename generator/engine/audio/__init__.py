"""Score in, one finished audio file out.

The order of work: `performance` (steps to seconds) > `voices` and `synthesis` (seconds to samples)
> `mastering` (filters, reverb, width, fades) > `loudness` and `quality` (what was made) >
`encoding` (samples to a file). Everything streams in chunks of five seconds, so memory does not
grow with the length of the night. `profile` holds the numbers they share.
"""
