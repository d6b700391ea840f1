import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from opsctl.errors import SettingsError
from opsctl.kit.rates import PRESETS, Rate, as_kept, rates_of, share_of
from opsctl.settings.reading.validate import InvalidSettingsError, validate_section
from opsctl.settings.sections.limits import LimitsSettings


def test_the_presets_are_what_the_settings_say_by_default() -> None:
    assert rates_of(LimitsSettings()) == PRESETS


def test_a_setting_changes_a_preset_and_adds_rates_of_its_own() -> None:
    rates = rates_of(LimitsSettings(kis="4/s", more=("krx=3/500ms",)))

    assert rates["kis"] == Rate("kis", 4, 1.0)
    assert rates["krx"] == Rate("krx", 3, 0.5)


@example("1/0m")
@given(some.text(max_size=12) | some.from_regex(r"\d+/\d*(ms|s|m|h)", fullmatch=True))
def test_settings_take_exactly_the_rates_that_the_kit_can_read(text: str) -> None:
    try:
        validate_section(LimitsSettings, {"kis": text})
    except InvalidSettingsError:
        with pytest.raises(SettingsError):
            Rate.parse("kis", text)
    else:
        assert Rate.parse("kis", text).limit >= 1


@pytest.mark.parametrize(
    ("name", "limit", "window_s"), [("", 1, 1.0), ("a:b", 1, 1.0), ("a", 0, 1.0), ("a", 1, 0.0)]
)
def test_what_could_not_be_kept_is_no_rate(name: str, limit: int, window_s: float) -> None:
    with pytest.raises(SettingsError, match="is no rate"):
        Rate(name, limit, window_s)


@given(some.integers(1, 10_000_000), some.floats(0.01, 3600))
def test_a_large_limit_is_kept_in_windows_that_never_allow_more(
    limit: int, window_s: float
) -> None:
    kept = as_kept(Rate("x", limit, window_s))

    windows = round(window_s / kept.window_s)
    assert kept.limit <= 10_000
    assert kept.limit * windows <= limit


@given(some.integers(1, 10_000), some.integers(1, 100))
def test_shares_together_never_exceed_a_limit_that_can_be_divided(
    limit: int, processes: int
) -> None:
    rate = Rate("x", limit, 1.0)

    share = share_of(rate, processes)

    calls_a_second = processes * share.limit / share.window_s
    assert calls_a_second <= limit * (1 + 1e-9)
