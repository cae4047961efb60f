"""What can go wrong below the web: every error says what was expected, what came, what to do."""


class EngineError(Exception):
    """Base of all errors of the engine; `code` is stable and may be stored."""

    code = "engine"


class BriefError(EngineError):
    """The request for music cannot be met as it stands."""

    code = "brief"


class ScoreError(EngineError):
    """A note, part or score breaks a rule of the grid."""

    code = "score"


class CheckpointError(EngineError):
    """A release file is missing, damaged, or belongs to another vocabulary."""

    code = "checkpoint"


class EngineUnavailable(EngineError):
    """An optional engine was asked for that is not installed here."""

    code = "engine_unavailable"


class ComposersUnmet(EngineUnavailable):
    """The composers that a study has fixed are not those installed here."""


class TrainingError(EngineError):
    """A network cannot be trained as asked."""

    code = "training"


class SandboxError(EngineError):
    """The process that reads untrusted files cannot be started."""

    code = "sandbox"


class SynthesisError(EngineError):
    """The score could not be turned into sound, or the sound fails its quality control."""

    code = "synthesis"


class RenderCancelled(EngineError):
    """The caller's progress callback asked to stop (lease lost, cancelled, deadline passed)."""

    code = "cancelled"
