"""What every metadata adapter must do. Third-party adapters subclass :class:`UnitsContract`.

::

    pytest.register_assert_rewrite("warehouse14.testing")  # in conftest.py: failures then show values

    class TestMyUnits(UnitsContract):
        lacks = {"hides_own_writes": "a transaction sees its own statements"}

        @pytest.fixture
        def units(self, database):
            units = MyUnits(database)
            units.prepare()
            yield units
            units.close()
"""

from warehouse14.testing.units_contract.accounts import AccountsContract
from warehouse14.testing.units_contract.attempts import AttemptsContract
from warehouse14.testing.units_contract.files import FilesContract
from warehouse14.testing.units_contract.groups import GroupsContract
from warehouse14.testing.units_contract.journal import JournalContract
from warehouse14.testing.units_contract.journal_search import JournalSearchContract
from warehouse14.testing.units_contract.logins import LoginsContract
from warehouse14.testing.units_contract.outage import OutageContract
from warehouse14.testing.units_contract.projects import ProjectsContract
from warehouse14.testing.units_contract.restoring import RestoringContract
from warehouse14.testing.units_contract.search import SearchContract
from warehouse14.testing.units_contract.sessions import SessionsContract
from warehouse14.testing.units_contract.sharing import SharingContract
from warehouse14.testing.units_contract.tokens import TokensContract
from warehouse14.testing.units_contract.unit import UnitContract
from warehouse14.testing.units_contract.values import ValuesContract


class UnitsContract(
    ProjectsContract,
    SearchContract,
    FilesContract,
    AccountsContract,
    GroupsContract,
    LoginsContract,
    TokensContract,
    SessionsContract,
    AttemptsContract,
    JournalContract,
    JournalSearchContract,
    UnitContract,
    ValuesContract,
    SharingContract,
    RestoringContract,
    OutageContract,
):
    """The whole contract of ``Units``: subclass it as ``Test...`` and provide the fixtures.

    * ``units``: the adapter, open, prepared and empty; closed after the test.
    * ``broken_units``: an adapter that was opened and prepared and whose engine was then made to fail.
    * ``reopened``: a function that opens one more instance over the engine of ``units``; the
      fixture closes what it opened.

    An adapter that lacks something says so, with its reason, in the class attribute ``lacks``, and
    the tests show as skips:

    * ``hides_own_writes``: a unit may see its own writes before its end;
    * ``one_moment``: two reads in one unit may see two moments;
    * ``outage``: there is no engine that could fail (``broken_units`` need not be provided);
    * ``restoring``: it cannot take what another store knows;
    * ``sharing``: there is no second instance over the same engine (nor ``reopened``).
    """
