"""Is what was asked for of late kept, and the rest forgotten?"""

from threading import Thread

from django_mullet.queries.bounded_cache import Recent


def test_what_was_put_is_there() -> None:
    recent = Recent[str](10)

    recent.put("a", "A", 1)

    assert recent.get("a") == "A"
    assert recent.get("b") is None


def test_what_nobody_asks_for_is_forgotten() -> None:
    recent = Recent[int](10)

    for number in range(1000):
        recent.put(number, number, 1)
        assert recent.get(number) == number

    kept = [number for number in range(1000) if recent.get(number) is not None]
    assert 10 <= len(kept) <= 20
    assert kept[-1] == 999


def test_what_is_asked_for_again_stays() -> None:
    recent = Recent[str](10)
    recent.put("used", "U", 1)

    for number in range(1000):
        recent.put(number, "", 1)
        assert recent.get("used") == "U"


def test_what_is_heavy_takes_the_room_of_several() -> None:
    recent = Recent[int](10)

    for number in range(100):
        recent.put(number, number, 5)

    assert sum(recent.get(number) is not None for number in range(100)) <= 4


def test_what_is_too_heavy_is_not_kept() -> None:
    recent = Recent[str](10)
    recent.put("light", "L", 1)

    assert recent.put("heavy", "H", 11) == "H"

    assert recent.get("heavy") is None
    assert recent.get("light") == "L"


def test_threads_get_what_belongs_to_their_keys() -> None:
    recent = Recent[int](50)
    wrong: list[int] = []

    def work(first: int) -> None:
        for number in range(first, first + 2000):
            recent.put(number, number, 1)
            wrong.extend(
                key for key in (number, first, number // 2) if recent.get(key) not in (None, key)
            )

    threads = [Thread(target=work, args=(first,)) for first in range(0, 800, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong
