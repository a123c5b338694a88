import io

from foedus.ensemble.progress import Bar, Lines, Silent, for_stream


def test_lines_say_rate_and_time_left():
    stream = io.StringIO()
    lines = for_stream(stream)
    assert isinstance(lines, Lines)
    lines.start(1000, 250)
    lines.advance(250)
    lines.advance(500)
    lines.stop()
    first, last = stream.getvalue().splitlines()
    assert first == "1,000 runs, 250 of them done before"
    assert last.startswith("1,000 of 1,000 runs, ")
    assert last.endswith(" runs/s, 0:00 left")


def test_lines_come_now_and_then():
    stream = io.StringIO()
    lines = Lines(stream, every=0.0)
    lines.start(10, 0)
    lines.advance(5)
    assert "5 of 10 runs" in stream.getvalue()


def test_bar_runs(capsys):
    for progress in (Bar(), Silent()):
        progress.note("before")
        progress.start(10, 0)
        progress.advance(10)
        progress.note("a [bold]note[/bold]")
        progress.stop()
    assert "a [bold]note[/bold]" in capsys.readouterr().err
