from generator.engine.brief import ComposerName
from studies.design.protocol import four_arms
from studies.forms.protocol import ArmsStep


def test_the_wizard_offers_the_composers_by_the_names_that_the_field_knows():
    step = ArmsStep(protocol=four_arms(), sites=[])
    offered = {value: str(name) for value, name in step.fields["gives_1"].choices}
    by = {name: offered[name].removeprefix("Music by ") for name in ComposerName}
    assert by == {
        "lstm_acm": "LSTM-ACM",
        "markov": "MCMG",
        "genetic": "GAMC",
        "fusion": "Fusion",
    }


def test_the_arms_of_the_template_are_printed_as_what_they_give_is_offered():
    step = ArmsStep(protocol=four_arms(), sites=[])
    for number, arm in enumerate(four_arms().arms, start=1):
        gives = step.initial[f"gives_{number}"]
        assert gives == (arm.composer or "cbt")
        if arm.composer:
            assert step.initial[f"code_{number}"] == ComposerName(gives).printed
