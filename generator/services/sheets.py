"""A track's notes as sheet music, written when somebody asks for it."""

from generator.engine.score.midi import read_midi
from generator.engine.score.musicxml import to_musicxml
from generator.models.playlist import Track
from generator.services.storage import midi_path


def sheet_music(track: Track) -> str:
    """Return the track's notes as MusicXML.

    Raises
    ------
    ScoreError
        The MIDI file is missing or damaged.
    """
    return to_musicxml(read_midi(midi_path(track)))
