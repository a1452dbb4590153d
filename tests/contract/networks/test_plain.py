import pytest

from mtbench.contract import is_plain, plain_form


def test_the_plain_form_is_asked_for_within_the_block_alone_and_an_error_ends_it() -> None:
    assert not is_plain()
    with plain_form():
        with plain_form():
            assert is_plain()
        assert is_plain()
    assert not is_plain()
    with pytest.raises(ZeroDivisionError), plain_form():
        raise ZeroDivisionError
    assert not is_plain()
