import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.engine.brief import Instrument, Mode, Style
from studies.design.taste import RatedNight, Rating, Sound, Taste, taste_of_the_next_night


def taste(styles=None, instrument="piano", mode="major"):
    return Taste(styles or {"classical": 1.0}, instrument, mode, 60.0, "none")


def rated(rating, of=None):
    return RatedNight(of or taste(), rating)


TWO = taste({"classical": 0.7, "folk": 0.3})


def test_without_ratings_the_next_night_is_as_stated():
    assert taste_of_the_next_night(TWO, []) == TWO


def test_a_calming_night_raises_its_styles_by_a_quarter_of_their_share():
    of_folk = rated(Rating.CALMING, taste({"folk": 1.0}))
    weights = taste_of_the_next_night(TWO, [of_folk]).styles
    assert weights["folk"] == pytest.approx(0.3 * 1.25 / (0.7 + 0.3 * 1.25))
    assert sum(weights.values()) == pytest.approx(1.0)


def test_liked_raises_less_than_calming():
    folk = taste({"folk": 1.0})
    calming, liked = (
        taste_of_the_next_night(TWO, [rated(rating, folk)]).styles["folk"]
        for rating in (Rating.CALMING, Rating.LIKED)
    )
    assert 0.3 < liked < calming


def test_no_praise_lets_a_style_drown_the_others():
    praised = [rated(Rating.CALMING, taste({"folk": 1.0}))] * 100
    weights = taste_of_the_next_night(TWO, praised).styles
    assert weights["folk"] == pytest.approx(1.2 / 1.9)


def test_a_style_that_was_not_stated_never_comes_in():
    jazz = rated(Rating.CALMING, taste({"jazz": 1.0}))
    assert taste_of_the_next_night(TWO, [jazz]) == TWO


def test_never_again_first_gives_another_stated_style_the_lead():
    next_night = taste_of_the_next_night(TWO, [rated(Rating.NEVER_AGAIN, TWO)])
    assert next_night.sound == Sound("folk", "piano", "major")
    assert next_night.styles == {"classical": 0.3, "folk": 0.7}


def test_styles_of_equal_weight_change_the_lead_too():
    equal = taste({"classical": 0.5, "folk": 0.5})
    next_night = taste_of_the_next_night(equal, [rated(Rating.NEVER_AGAIN, equal)])
    assert next_night.sound.style == "folk"
    assert sum(next_night.styles.values()) == pytest.approx(1.0)


def test_never_again_then_changes_the_instrument_then_the_mode():
    stated, history, seen = taste(), [], []
    for _ in range(len(Instrument) * len(Mode)):
        night = taste_of_the_next_night(stated, history)
        seen.append(night.sound)
        history.append(rated(Rating.NEVER_AGAIN, night))
    assert [sound.instrument for sound in seen[:4]] == ["piano", "harp", "guitar", "vibraphone"]
    assert {sound.mode for sound in seen[:4]} == {"major"}
    assert {sound.mode for sound in seen[4:]} == {"minor"}
    assert len(set(seen)) == len(seen)


def test_when_everything_is_barred_the_oldest_bar_falls():
    stated, history = taste(), []
    for _ in range(8):
        history.append(rated(Rating.NEVER_AGAIN, taste_of_the_next_night(stated, history)))
    assert taste_of_the_next_night(stated, history).sound == history[0].taste.sound


def test_tempo_and_bed_stay_as_stated():
    stated = Taste({"jazz": 1.0}, "harp", "minor", 52.0, "rain")
    night = taste_of_the_next_night(stated, [rated(Rating.NEVER_AGAIN, stated)])
    assert (night.tempo_bpm, night.bed) == (52.0, "rain")
    assert night.sound != stated.sound


weights = st.dictionaries(
    st.sampled_from(sorted(Style)), st.floats(0.01, 1.0), min_size=1, max_size=5
).map(lambda given: {name: weight / sum(given.values()) for name, weight in given.items()})
tastes = st.builds(
    taste, weights, st.sampled_from(sorted(Instrument)), st.sampled_from(sorted(Mode))
)


@given(tastes, st.lists(st.builds(rated, st.sampled_from(sorted(Rating)), tastes), max_size=7))
def test_the_next_night_is_never_a_barred_one_and_its_weights_sum_to_one(stated, history):
    history = [RatedNight(night.taste, Rating(night.rating)) for night in history]
    night = taste_of_the_next_night(stated, history)
    barred = [n.taste.sound for n in history if n.rating == Rating.NEVER_AGAIN]
    # Seven bars never fill the eight sounds that a single style has.
    assert night.sound not in barred
    assert sum(night.styles.values()) == pytest.approx(1.0)
    assert set(night.styles) == set(stated.styles)
