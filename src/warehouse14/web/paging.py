"""Long lists, a page at a time."""

from dataclasses import dataclass, replace

from pyramid.request import Request

_MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class Paging:
    """One page of a list: ``number`` counts from 1, ``total`` counts entries."""

    number: int
    length: int
    total: int

    @property
    def start(self) -> int:
        """The place of its first entry, from 0."""
        return (self.number - 1) * self.length

    @property
    def stop(self) -> int:
        """The place behind its last entry."""
        return min(self.start + self.length, self.total)

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(-(-self.total // self.length), 1)

    @property
    def numbers(self) -> list[int | None]:
        """The pages to link: the first, the last, those around this one; None for a gap."""
        near = {1, self.last, *range(self.number - 2, self.number + 3)}
        found: list[int | None] = []
        for number in sorted(number for number in near if 1 <= number <= self.last):
            if found and found[-1] is not None and number > found[-1] + 1:
                found.append(None)
            found.append(number)
        return found


def paging(request: Request, length: int, total: int) -> Paging:
    """Return the page of a list of ``total`` entries that ``request`` asks for, at most the last."""
    asked = Paging(page_number(request), length, total)
    return replace(asked, number=min(asked.number, asked.last))


def page_number(request: Request) -> int:
    """Return the page that ``?page=`` asks for; anything odd is the first."""
    raw = request.GET.get("page", "1")
    return min(max(int(raw), 1), _MOST_PAGES) if raw.isascii() and raw.isdecimal() and len(raw) < 9 else 1
