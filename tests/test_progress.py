"""What a long computation says on stderr."""

import io
import sys

from brainscore_granularity.progress import progress, say


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_note_is_a_line_on_stderr(capsys):
    say("packing [3] images")
    assert capsys.readouterr() == ("", "packing [3] images\n")


def test_a_note_stays_whole_above_a_running_bar(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress("training", 2) as advance:
        advance("loss 1.0")
        say("no validation for own_k8")
        advance("loss 0.5")
    shown = terminal.getvalue()
    assert "\nno validation for own_k8\n" in shown.replace("\x1b[2K", "").replace("\r", "\n")
    assert shown.index("no validation") < shown.rindex("training") and "2/2" in shown and sys.stderr is terminal
