import pytest

from brainscore_granularity import plugins
from brainscore_granularity.cli import doctor


def findings():
    return {finding.name: finding for finding in doctor.check()}


def test_a_sound_installation_is_well(capsys):
    found = doctor.check()
    assert all(finding.ok for finding in found)
    assert doctor.show(found) and "all is well" in capsys.readouterr().out


def test_a_hook_that_is_off_is_found(monkeypatch):
    monkeypatch.setattr(plugins, "is_on", lambda: False)
    assert not findings()["plugin hook"].ok


def test_a_clash_with_brain_score_is_found(monkeypatch):
    from brainscore_granularity.brains import catalogue

    monkeypatch.setattr(catalogue, "ours", lambda plugin_type: ["alexnet"] if plugin_type == "models" else [])
    finding = findings()["identifiers"]
    assert not finding.ok and "alexnet" in finding.found


def test_a_home_that_cannot_be_written_is_found_with_what_to_do(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(tmp_path / "file" / "home"))
    finding = findings()["home"]
    assert not finding.ok and "BRAINSCORE_GRANULARITY_HOME" in finding.fix


@pytest.mark.parametrize(("value", "fix"), [("no", False), ("yes", True)])
def test_pip_at_every_load_is_pointed_out(monkeypatch, value, fix):
    monkeypatch.setenv("BS_INSTALL_DEPENDENCIES", value)
    assert bool(findings()["pip at load"].fix) is fix


def test_one_broken_check_does_not_hide_the_others(monkeypatch, capsys):
    def broken():
        raise RuntimeError("cannot look")

    monkeypatch.setattr(doctor, "_gpu", broken)
    found = doctor.check()
    assert [finding.found for finding in found if not finding.ok] == ["RuntimeError: cannot look"]
    assert len(found) > 5 and not doctor.show(found)
    assert "1 of" in capsys.readouterr().out
