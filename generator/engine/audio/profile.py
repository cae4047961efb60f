"""The numbers of the sleep profile: sample rate, chunk, fades, loudness, spectrum.

Conventions
-----------
Samples are float32, stereo arrays of shape (n_samples, 2), full scale = 1.0, at `SAMPLE_RATE_HZ`.
The chunk size is part of the profile: another chunk size changes the last bits of the sound, and
with them the file's hash.

References
----------
The profile `sleep-45/v1` is described in docs/sound.md, with the evidence for each line.
"""

from dataclasses import dataclass

SAMPLE_RATE_HZ = 44_100
CHUNK_SAMPLES = 5 * SAMPLE_RATE_HZ
CHANNELS = 2

PROFILE = "sleep/v1"
# A file shorter than this is a preview: too short to wind anybody down.
SHORTEST_NIGHT_S = 900.0

FADE_IN_S = 12.0
FADE_OUT_S = 180.0
SILENCE_S = 2.0


@dataclass(frozen=True)
class Profile:
    """How a night is mastered; the defaults are `sleep-45/v1`.

    Parameters
    ----------
    name : str
        Stored with every rendering; a study pins it.
    loudness_lufs, loudness_tolerance_lu : float
        Integrated loudness to reach (ITU-R BS.1770) and how far off it may be.
    true_peak_max_dbtp : float
        Ceiling of the 4x oversampled peak.
    highpass_hz : float
        Everything below is taken out: small speakers only distort it.
    lowpass_start_hz, lowpass_end_hz, lowpass_reached : float
        The low-pass glides geometrically from the first to the second and arrives after this share
        of the night.
    decline_lu : float
        How far the loudness sinks from the start to the fade-out of a night.
    reverb_t60_s, reverb_predelay_s, reverb_wet_db : float
        Length of the tail in the middle of the spectrum, its delay, its level.
    width : float
        Share of the side signal kept; 0 is mono, 1 leaves the stereo picture as it is.
    """

    name: str = "sleep-45/v1"
    loudness_lufs: float = -24.0
    loudness_tolerance_lu: float = 0.5
    true_peak_max_dbtp: float = -3.0
    highpass_hz: float = 35.0
    lowpass_start_hz: float = 7000.0
    lowpass_end_hz: float = 3500.0
    lowpass_reached: float = 0.8
    decline_lu: float = 8.0
    reverb_t60_s: float = 2.6
    reverb_predelay_s: float = 0.025
    reverb_wet_db: float = -9.0
    width: float = 0.65


@dataclass(frozen=True)
class Timeline:
    """Where a file of a given length fades, in samples: music, then digital silence to the end."""

    n_samples: int
    fade_in: int
    fade_out: int
    silence: int

    @property
    def is_night(self) -> bool:
        """Whether this is long enough to be judged by every line of the profile."""
        return self.n_samples >= SHORTEST_NIGHT_S * SAMPLE_RATE_HZ

    @property
    def music_end(self) -> int:
        """The first sample of the digital silence at the end; the fade-out is complete here."""
        return self.n_samples - self.silence

    @property
    def fade_out_start(self) -> int:
        """The first sample of the fade-out."""
        return self.music_end - self.fade_out


def timeline(duration_s: float) -> Timeline:
    """Return where a file fades in and out.

    Parameters
    ----------
    duration_s : float
        Length of the finished file, seconds.

    Returns
    -------
    Timeline
        12 s in and 180 s out; files too short for that give a sixth and a third of their length.
    """
    return Timeline(
        n_samples=round(duration_s * SAMPLE_RATE_HZ),
        fade_in=round(min(FADE_IN_S, duration_s / 6) * SAMPLE_RATE_HZ),
        fade_out=round(min(FADE_OUT_S, duration_s / 3) * SAMPLE_RATE_HZ),
        silence=round(SILENCE_S * SAMPLE_RATE_HZ),
    )
