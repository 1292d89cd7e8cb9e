"""Optional dependencies: if one is missing, the error names the extra to install."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needs_extra(extra: str, what: str) -> Iterator[None]:
    """Turns a failed import into an error that says what to install.

    Args:
        extra: Name of the extra of this package.
        what: Who needs it, in the plural.

    Raises:
        ImportError: Something inside the block could not be imported.
    """
    try:
        yield
    except ImportError as error:
        package = (error.name or "more packages").partition(".")[0]
        raise ImportError(
            f"{what} need {package}: pip install 'kilroy-gym[{extra}]'", name=error.name
        ) from error
