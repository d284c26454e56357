"""A section as a picture."""

from pathlib import Path

from benchmarks.section import Section

_INK, _BAR, _OURS, _GRID = "#222222", "#9aa5b1", "#1f6f8b", "#dddddd"


def draw(section: Section, path: Path) -> None:
    """Write the section's bars or lines as a PNG; nothing where it has neither."""
    from matplotlib.figure import Figure

    if not section.bars and not section.lines:
        return
    figure = Figure(figsize=(8.0, 1.4 + 0.45 * max(4, len(section.bars))), layout="constrained")
    axes = figure.subplots()
    axes.set_title(section.title, loc="left", color=_INK, fontsize=11)
    if section.bars:
        labels = [bar.label for bar in section.bars]
        values = [bar.value for bar in section.bars]
        errors = [[bar.value - bar.low for bar in section.bars], [bar.high - bar.value for bar in section.bars]]
        colours = [_OURS if "framelane" in label.lower() else _BAR for label in labels]
        axes.barh(labels, values, xerr=errors, color=colours, ecolor=_INK, capsize=3, height=0.6)
        axes.invert_yaxis()
        for number, bar in enumerate(section.bars):
            axes.text(
                bar.high,
                number,
                f"  {bar.value:.0f}" if bar.value >= 100 else f"  {bar.value:.1f}",
                va="center",
                color=_INK,
                fontsize=9,
            )
        axes.set_xlim(0, 1.15 * max(bar.high for bar in section.bars))
        axes.set_xlabel(section.unit)
        axes.grid(axis="x", color=_GRID)
    else:
        for label, points in section.lines.items():
            axes.plot([x for x, _ in points], [y for _, y in points], label=label, color=_OURS)
        axes.set_xlabel("minutes")
        axes.set_ylabel(section.unit)
        axes.set_ylim(bottom=0)
        axes.grid(color=_GRID)
        axes.legend(frameon=False)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
