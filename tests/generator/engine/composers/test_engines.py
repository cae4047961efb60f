from dataclasses import replace

import pytest

from generator.engine.audio.pins import built_in_pin
from generator.engine.composers import engines
from generator.engine.composers.engines import Engine, available_engines, engine_for, engine_name
from generator.engine.errors import EngineUnavailable


@pytest.fixture
def without_the_extra(monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda _name: None)


@pytest.fixture
def with_the_extra(monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda _name: "found")
    monkeypatch.setattr(engines, "version", lambda _name: "1.2.3")


def test_no_pin_and_a_pin_that_names_no_engine_mean_numpy():
    assert engine_for(None) is Engine.NUMPY
    assert engine_for(built_in_pin()) is Engine.NUMPY
    assert engine_name(Engine.NUMPY) == built_in_pin().engine


@pytest.mark.usefixtures("with_the_extra")
def test_the_name_of_int8_holds_the_version_that_decides_its_bytes():
    name = engine_name(Engine.INT8)
    assert name == "int8 onnxruntime 1.2.3"
    assert available_engines() == ["", name]
    assert engine_for(replace(built_in_pin(), engine=name)) is Engine.INT8


@pytest.mark.usefixtures("with_the_extra")
def test_another_version_than_the_pinned_one_is_refused():
    other = replace(built_in_pin(), engine="int8 onnxruntime 1.2.4")
    with pytest.raises(
        EngineUnavailable, match=r"1\.2\.4 was expected, got numpy, int8 .* 1\.2\.3"
    ):
        engine_for(other)


@pytest.mark.usefixtures("without_the_extra")
def test_without_the_extra_int8_is_refused_with_what_to_install():
    with pytest.raises(EngineUnavailable, match=r"requirements-fast\.txt"):
        engine_name(Engine.INT8)
    pinned = replace(built_in_pin(), engine="int8 onnxruntime 1.2.3")
    with pytest.raises(EngineUnavailable, match=r"got numpy\. .*requirements-fast\.txt"):
        engine_for(pinned)
