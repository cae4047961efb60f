"""What the questionnaires keep: responses with answers and scores, and the words of a site."""

from questionnaires.models.response import Answer, Delivery, Response, ResponseState, Score
from questionnaires.models.wording import SiteWording

__all__ = ["Answer", "Delivery", "Response", "ResponseState", "Score", "SiteWording"]
