"""The one exception for bad input. The command line prints it and exits with code 2; it never shows a traceback for it."""

SHOWN = 12  # problems listed in full; the rest is counted, so that a million bad rows still make one readable message


class InputError(ValueError):
    """What was received, what was expected, how to fix it, and which file or row."""


def listing(problems, shown=SHOWN):
    """One line a problem, at most `shown` of them, and how many more there are."""
    problems = list(problems)
    lines = [f"  - {problem}" for problem in problems[:shown]]
    if len(problems) > shown:
        lines.append(f"  … and {len(problems) - shown:,} more")
    return "\n".join(lines)


def refuse(heading, problems):
    """Raise one `InputError` that lists every problem, if there is any."""
    problems = list(problems)
    if problems:
        raise InputError(f"{heading} ({len(problems):,} problem{'s' * (len(problems) > 1)}):\n{listing(problems)}")
