"""Every setting says what it is, refuses what it cannot be, and is frozen."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from placet.drivers.settings import Settings


def test_every_setting_says_why_it_is_what_it_is() -> None:
    silent = [name for name, field in Settings.model_fields.items() if not field.description]
    assert silent == []


def test_the_environment_is_read_by_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACET_PARTITIONS", "12")
    monkeypatch.setenv("PLACET_KAFKA", '{"security.protocol": "SSL"}')
    settings = Settings()
    assert (settings.partitions, settings.kafka) == (12, {"security.protocol": "SSL"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("partitions", -1),
        ("port", 65_536),
        ("record_bytes_max", 10),
        ("cluster", "two words"),
        ("slot", ""),
        ("lag_ms_max", -1),
        ("no_such_setting", 1),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_name(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**{name: value})  # type: ignore[arg-type]
    assert name in str(refused.value)


def test_an_address_that_is_not_loopback_must_be_wanted() -> None:
    with pytest.raises(ValidationError, match="is not loopback"):
        Settings(host="0.0.0.0")
    assert Settings(host="0.0.0.0", exposed=True).host == "0.0.0.0"


@pytest.mark.parametrize("hosts", ["http://placet.internal", "placet.internal:7420", "*", "a b", "a/b", "a,,-b"])
def test_a_name_one_is_called_by_has_no_scheme_no_port_and_no_wildcard(hosts: str) -> None:
    with pytest.raises(ValidationError, match="expected names or addresses without a scheme or a port"):
        Settings(hosts=hosts)


def test_one_is_called_by_the_names_of_this_machine_and_by_those_that_are_set() -> None:
    own = {"127.0.0.1", "::1", "localhost"}
    assert Settings().host_names == own
    set_ = Settings(host="0.0.0.0", exposed=True, hosts="Placet.internal, 10.0.0.5,[fd00::1],")
    assert set_.host_names == own | {"0.0.0.0", "placet.internal", "10.0.0.5", "fd00::1"}


def test_a_desk_that_seals_too_seldom_could_not_be_told_from_a_stalled_one() -> None:
    with pytest.raises(ValidationError, match="more than half"):
        Settings(seal_idle_ms=20_000, lag_ms_max=30_000)


def test_settings_are_frozen_and_never_print_the_token() -> None:
    settings = Settings(token="s3cret")  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]
    assert "s3cret" not in repr(settings) + str(settings.model_dump())


def test_the_folders_follow_the_data_folder() -> None:
    settings = Settings(data=Path("run"))
    assert settings.keys_file == Path("run/keys.json")
    assert settings.secrets_dir == Path("run/secrets")
    assert Settings(data=Path("run"), keys=Path("k.json")).keys_file == Path("k.json")
