"""Rating of one track: how calming, how much liked, and whether it should never play again.

Written for this project; two single ratings and a wish, no total.
"""

from questionnaires.instruments.instrument import (
    Answers,
    Instrument,
    Item,
    Kind,
    ScoreField,
    Scores,
)

TRACK_RATING_1 = "track_rating_1"
FROM_1_TO_5 = (1, 2, 3, 4, 5)

TRACK_RATING = Instrument(
    key="track_rating",
    version="1",
    items=(
        Item("calming", Kind.CHOICE, choices=FROM_1_TO_5, scale="calming"),
        Item("liked", Kind.CHOICE, choices=FROM_1_TO_5, scale="liked"),
        Item("never_again", Kind.CHOICE, choices=(0, 1), scale="never_again", required=False),
    ),
    rule_ids=(TRACK_RATING_1,),
    scores=(
        ScoreField("calming_points", "points", 1, 5),
        ScoreField("liked_points", "points", 1, 5),
        ScoreField("is_unwanted", "yes or no", 0, 1),
    ),
    missing_rule="A rating is missing when its answer is; no wish counts as 0.",
    source="Written for this project",
)


def score_track_rating_1(answers: Answers) -> Scores:
    """Return the two ratings and the wish.

    Parameters
    ----------
    answers : mapping of str to int or None
        ``calming`` and ``liked`` 1-5, ``never_again`` 0 or 1.

    Returns
    -------
    Scores
        ``calming_points`` and ``liked_points`` 1-5, ``is_unwanted`` 0 or 1.
    """
    return Scores(
        rule_id=TRACK_RATING_1,
        values={
            "calming_points": answers.get("calming"),
            "liked_points": answers.get("liked"),
            "is_unwanted": answers.get("never_again") or 0,
        },
        n_missing=len(TRACK_RATING.missing_keys(answers)),
    )
