"""What the questionnaires keep: responses with their answers and scores."""

from questionnaires.models.response import Answer, Response, ResponseState, Score

__all__ = ["Answer", "Response", "ResponseState", "Score"]
