"""Putting times in order, those that are not known last."""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class newest_first(FunctionElement[Any]):  # noqa: N801 - it is used like a function
    """Orders by a column of times, the newest first and NULL last."""

    inherit_cache = True


@compiles(newest_first)
def _with_nulls_last(element: newest_first, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} DESC NULLS LAST"


@compiles(newest_first, "mysql")
def _with_nulls_least(element: newest_first, compiler: Any, **options: Any) -> str:
    # MariaDB takes NULL for the least value, and has no words to say where it goes.
    return f"{compiler.process(element.clauses, **options)} DESC"
