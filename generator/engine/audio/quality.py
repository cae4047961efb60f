"""Quality control: what a finished night measures, against the lines of the profile `sleep-45/v1`.

Every line becomes a row with its measured value, its limit and whether it passed; all rows are
stored with the rendering. A night (15 minutes and more) that fails any line is not published; a
shorter file is a preview and has to pass the lines of `PREVIEW_ITEMS`.

Conventions
-----------
Levels are those of the finished file, i.e. after the static gain. `jump` is how far the momentary
loudness rises above the loudest of the three seconds before (0.3 to 3.3 s earlier): the measure of
what might wake a sleeper. Jumps and gaps are looked for between the first 30 s (or third of a short
file) and the fade-out. Five minutes of the profile are a ninth of a night of any length.

References
----------
docs/sound.md: the profile, line by line, with its evidence.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from generator.engine.audio.limits import Row, at_least, at_most, between, failed
from generator.engine.audio.loudness import HOP_S, SILENCE_LUFS, LoudnessMeter
from generator.engine.audio.mastering import room_t60_s
from generator.engine.audio.profile import SAMPLE_RATE_HZ, Profile, Timeline
from generator.engine.errors import SynthesisError

PREVIEW_ITEMS = frozenset(
    {
        "duration_error_s",
        "loudness_error_lu",
        "true_peak_dbtp",
        "clipped_samples",
        "last_second_dbfs",
        "end_silence_s",
    }
)

_FRAME = 8192
_SETTLED_S = 30.0
_JUMP_HOPS = (33, 3)
_WINDOWS = 9
_OCTAVES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
_SILENT_DB = -120.0


@dataclass(frozen=True)
class Measurements:
    """What was measured of one mastered sound, before its gain; see `SoundMeasurer`.

    `momentary_lufs` has one value every 100 ms; `spectrum` is the mean power at each multiple of
    `SAMPLE_RATE_HZ / 8192`; `last_second_peak` is the largest sample of the last second;
    `end_silence_s` how long the file is exactly silent at its end; `flux` the mean share of the
    spectrum that moves from one frame of 186 ms to the next.
    """

    n_samples: int
    integrated_lufs: float
    true_peak_dbtp: float
    momentary_lufs: np.ndarray
    sample_peak: float
    last_second_peak: float
    end_silence_s: float
    dc: float
    stereo_correlation: float
    spectrum: np.ndarray
    flux: float


class SoundMeasurer:
    """Measures a sound while it streams by; feed it the file's chunks in order."""

    def __init__(self) -> None:
        self._meter = LoudnessMeter(SAMPLE_RATE_HZ)
        self._window = np.hanning(_FRAME).astype(np.float32)
        self._spectrum = np.zeros(_FRAME // 2 + 1)
        self._n_frames = 0
        self._moved, self._n_moves = 0.0, 0
        self._sums = np.zeros(2)
        self._products = np.zeros((2, 2))
        self._n_samples = 0
        self._sample_peak = 0.0
        self._last_second = np.zeros((0, 2), dtype=np.float32)
        self._last_sound = 0

    def add(self, chunk: np.ndarray) -> None:
        """Take in the next samples, shape (n_samples, 2).

        Raises
        ------
        SynthesisError
            A sample is not a finite number.
        """
        if not np.isfinite(chunk).all():
            first = int(np.argmin(np.isfinite(chunk).all(axis=1)))
            at_s = (self._n_samples + first) / SAMPLE_RATE_HZ
            raise SynthesisError(
                f"finite samples were expected, got NaN or infinity at {at_s:.2f} s. Report the "
                "brief of this playlist; its score or a voice is damaged."
            )
        self._meter.add(chunk)
        sounding = np.flatnonzero(chunk.any(axis=1))
        if len(sounding):
            self._last_sound = self._n_samples + int(sounding[-1]) + 1
        self._n_samples += len(chunk)
        self._sample_peak = max(self._sample_peak, float(np.abs(chunk).max(initial=0.0)))
        self._sums += chunk.sum(axis=0, dtype=np.float64)
        self._products += chunk.T.astype(np.float64) @ chunk
        self._last_second = np.concatenate([self._last_second, chunk])[-SAMPLE_RATE_HZ:]
        self._add_spectrum(chunk)

    def result(self) -> Measurements:
        """Return the measurements of all that was added."""
        left, right = self._products[0, 0], self._products[1, 1]
        power = np.sqrt(left * right)
        return Measurements(
            n_samples=self._n_samples,
            integrated_lufs=self._meter.integrated(),
            true_peak_dbtp=self._meter.true_peak_dbtp(),
            momentary_lufs=self._meter.momentary(),
            sample_peak=self._sample_peak,
            last_second_peak=float(np.abs(self._last_second).max(initial=0.0)),
            end_silence_s=(self._n_samples - self._last_sound) / SAMPLE_RATE_HZ,
            dc=float(np.abs(self._sums).max() / max(self._n_samples, 1)),
            stereo_correlation=float(self._products[0, 1] / power) if power > 0 else 1.0,
            spectrum=self._spectrum / max(self._n_frames, 1),
            flux=self._moved / max(self._n_moves, 1),
        )

    def _add_spectrum(self, chunk: np.ndarray) -> None:
        n_frames = len(chunk) // _FRAME
        frames = chunk[: n_frames * _FRAME].reshape(n_frames, _FRAME, 2)
        spectra = np.fft.rfft(frames * self._window[:, None], axis=1)
        powers = np.einsum("nfc,nfc->nf", spectra.real, spectra.real)
        powers += np.einsum("nfc,nfc->nf", spectra.imag, spectra.imag)
        self._spectrum += powers.sum(axis=0)
        self._n_frames += n_frames
        totals = powers.sum(axis=1)
        shares = powers[totals > 0] / totals[totals > 0, None]
        self._moved += 0.5 * float(np.abs(np.diff(shares, axis=0)).sum())
        self._n_moves += max(len(shares) - 1, 0)


def judge(
    measured: Measurements, *, gain_db: float, timeline: Timeline, profile: Profile
) -> list[Row]:
    """Return the quality-control table of a sound played `gain_db` louder than it was measured.

    Returns
    -------
    list of dict
        Rows of `item`, `value`, `limit` (as text) and `passed`, in the order of the profile.
    """
    gain = 10 ** (gain_db / 20)
    full_scale = measured.sample_peak * gain >= 1.0
    rows = [
        at_most("duration_error_s", _duration_error_s(measured, timeline), 5.0),
        at_most(
            "loudness_error_lu",
            abs(measured.integrated_lufs + gain_db - profile.loudness_lufs),
            profile.loudness_tolerance_lu,
        ),
        at_most("true_peak_dbtp", measured.true_peak_dbtp + gain_db, profile.true_peak_max_dbtp),
        at_most("clipped_samples", int(full_scale), 0),
        at_most("last_second_dbfs", _dbfs(measured.last_second_peak * gain), -70.0),
        at_least("end_silence_s", measured.end_silence_s, 2.0),
        at_most("dc", measured.dc * gain, 0.001),
        at_least("stereo_correlation", measured.stereo_correlation, 0.2),
    ]
    rows += _evenness_rows(measured, gain_db, timeline, profile)
    rows += _decline_rows(measured, timeline)
    rows.append(between("reverb_t60_s", room_t60_s(profile), 2.0, 3.0))
    return rows + _spectrum_rows(measured)


def unfit(rows: list[Row], timeline: Timeline) -> list[Row]:
    """Return the failed rows for which a file of this length is not to be played."""
    if timeline.is_night:
        return failed(rows)
    return [row for row in failed(rows) if row["item"] in PREVIEW_ITEMS]


def spectral_features(measured: Measurements) -> dict[str, float]:
    """Return the shape of the long-term spectrum: centroid, roll-off, shares of the upper bands."""
    frequencies = np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE_HZ)
    total = max(float(measured.spectrum.sum()), 1e-30)
    shares = measured.spectrum / total
    above = {hz: float(shares[frequencies > hz].sum()) for hz in (1500, 4000, 8000)}
    rolloff = min(int(np.searchsorted(np.cumsum(shares), 0.85)), len(frequencies) - 1)
    return {
        "centroid_hz": float((frequencies * shares).sum()),
        "rolloff85_hz": float(frequencies[rolloff]) if shares.any() else 0.0,
        "brightness_share_1500_hz": above[1500],
        "above_4000_hz_db": 10 * np.log10(max(above[4000], 1e-12)),
        "above_8000_hz_db": 10 * np.log10(max(above[8000], 1e-12)),
        "tilt_db_per_octave": _tilt(frequencies, shares),
    }


def _tilt(frequencies: np.ndarray, shares: np.ndarray) -> float:
    """Return the slope of the octave bands from 125 Hz to 8 kHz: pink noise has 0 dB an octave."""
    half = 2**0.5
    bands = [
        shares[(frequencies >= centre / half) & (frequencies < centre * half)].sum()
        for centre in _OCTAVES_HZ
    ]
    levels_db = 10 * np.log10(np.maximum(bands, 10 ** (_SILENT_DB / 10)))
    return float(np.polyfit(np.arange(len(bands)), levels_db, 1)[0])


def momentary_jumps(momentary_lufs: np.ndarray) -> np.ndarray:
    """Return how far each momentary value exceeds the loudest of 3.3 to 0.3 s before it, in LU.

    Parameters
    ----------
    momentary_lufs : ndarray, shape (n,)
        One value every 100 ms.

    Returns
    -------
    ndarray, shape (max(n - 33, 0),)
        Negative where the music sinks; the first value belongs to `momentary_lufs[33]`.
    """
    longest, shortest = _JUMP_HOPS
    if len(momentary_lufs) <= longest:
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(momentary_lufs, longest - shortest + 1)
    before = windows.max(axis=1)[: len(momentary_lufs) - longest]
    return momentary_lufs[longest:] - before


def _evenness_rows(
    measured: Measurements, gain_db: float, timeline: Timeline, profile: Profile
) -> list[Row]:
    momentary = _settled(measured.momentary_lufs + gain_db, timeline)
    jumps = momentary_jumps(momentary)
    gap_s = _longest_run(momentary < profile.loudness_lufs - 20.0) * HOP_S
    return [
        at_most("longest_gap_s", gap_s, 1.0),
        at_most("local_jump_lu", float(jumps.max(initial=0.0)), 5.0),
        at_most("local_jump_p99_9_lu", _percentile(jumps, 99.9), 4.0),
        at_most("over_local_mean_lu", _over_local_mean(momentary), 6.0),
    ]


def _decline_rows(measured: Measurements, timeline: Timeline) -> list[Row]:
    """Judge the slow decline; only a night is long enough to have one."""
    if not timeline.is_night:
        return []
    before_fade = measured.momentary_lufs[: _hop_at(timeline.fade_out_start)]
    size = _hop_at(timeline.n_samples) // _WINDOWS
    # The remainder is left out; the fade-in would make the first window look quiet.
    means = [
        _mean_lufs(before_fade[max(start, _hop_at(timeline.fade_in)) : start + size])
        for start in range(0, len(before_fade) - size + 1, size)
    ]
    rise = max((later - earlier for earlier, later in pairwise(means)), default=0.0)
    fall = means[0] - means[-1]
    return [
        at_most("largest_rise_5_min_lu", rise, 0.5),
        between("decline_lu", fall, 6.0, 10.0),
    ]


def _spectrum_rows(measured: Measurements) -> list[Row]:
    features = spectral_features(measured)
    return [
        at_most("centroid_hz", features["centroid_hz"], 750.0),
        at_most("rolloff85_hz", features["rolloff85_hz"], 1300.0),
        at_most("brightness_share_1500_hz", features["brightness_share_1500_hz"], 0.12),
        at_most("above_4000_hz_db", features["above_4000_hz_db"], -24.0),
        at_most("above_8000_hz_db", features["above_8000_hz_db"], -45.0),
        between("tilt_db_per_octave", features["tilt_db_per_octave"], -15.0, -6.0),
    ]


def _duration_error_s(measured: Measurements, timeline: Timeline) -> float:
    return abs(measured.n_samples - timeline.n_samples) / SAMPLE_RATE_HZ


def _settled(momentary: np.ndarray, timeline: Timeline) -> np.ndarray:
    start = min(_hop_at(timeline.n_samples) // 3, round(_SETTLED_S / HOP_S))
    return momentary[start : max(_hop_at(timeline.fade_out_start), start)]


def _hop_at(sample: int) -> int:
    return round(sample / (SAMPLE_RATE_HZ * HOP_S))


def _mean_lufs(momentary: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(10 ** (momentary / 10)))) if len(momentary) else SILENCE_LUFS


def _over_local_mean(momentary: np.ndarray) -> float:
    """Largest excess over the mean of the minute around it."""
    if not len(momentary):
        return 0.0
    size = min(len(momentary), round(60.0 / HOP_S))
    powers = np.concatenate([[0.0], np.cumsum(10 ** (momentary / 10))])
    starts = np.clip(np.arange(len(momentary)) - size // 2, 0, len(momentary) - size)
    means = (powers[starts + size] - powers[starts]) / size
    return float((momentary - 10 * np.log10(means)).max())


def _percentile(values: np.ndarray, percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else 0.0


def _longest_run(flags: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _dbfs(amplitude: float) -> float:
    return 20 * np.log10(max(amplitude, 10 ** (SILENCE_LUFS / 20)))
