"""The names of the months in several languages, and the ways to cut them short."""

NAMES = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jänner feber maerz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "januar februar marts april maj juni juli august september oktober november december",
    "januar februar mars april mai juni juli august september oktober november desember",
)
SHORT = {"mrt": 3, "sept": 9, "mrz": 3}


def _by_name() -> dict[str, int]:
    """Return the month of each name and of each beginning of three letters or more that only it has."""
    found: dict[str, set[int]] = {}
    for language in NAMES:
        for number, name in enumerate(language.split(), start=1):
            for length in range(3, len(name) + 1):
                found.setdefault(name[:length], set()).add(number)
    return {**{start: min(numbers) for start, numbers in found.items() if len(numbers) == 1}, **SHORT}


MONTH_OF = _by_name()


def month_number(name: str) -> int | None:
    """Return the month, 1 to 12, that a name means in some language, or None."""
    return MONTH_OF.get(name.lower().rstrip("."))
