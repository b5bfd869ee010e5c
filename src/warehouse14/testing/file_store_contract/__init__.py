"""What every file store must do. Third-party adapters subclass :class:`FileStoreContract`.

::

    pytest.register_assert_rewrite("warehouse14.testing")  # in conftest.py: failures then show values

    class TestMyFiles(FileStoreContract):
        lacks = {"outage": "there is no engine that could fail"}

        @pytest.fixture
        def store(self, bucket):
            return MyFiles(bucket)
"""

from warehouse14.testing.file_store_contract.deleting import DeletingContract
from warehouse14.testing.file_store_contract.keys import KeysContract
from warehouse14.testing.file_store_contract.outage import OutageContract
from warehouse14.testing.file_store_contract.prepared import PreparedContract
from warehouse14.testing.file_store_contract.reading import ReadingContract
from warehouse14.testing.file_store_contract.sharing import SharingContract
from warehouse14.testing.file_store_contract.staging import StagingContract
from warehouse14.testing.file_store_contract.together import TogetherContract


class FileStoreContract(
    PreparedContract,
    StagingContract,
    TogetherContract,
    ReadingContract,
    KeysContract,
    DeletingContract,
    SharingContract,
    OutageContract,
):
    """The whole contract of ``FileStore``: subclass it as ``Test...`` and provide the fixtures.

    * ``store``: the adapter, open, prepared and empty.
    * ``broken_store``: an adapter that was opened and whose engine was then made to fail.
    * ``reopened``: a function that opens one more instance over the engine of ``store``.

    An adapter that lacks something says so, with its reason, in the class attribute ``lacks``, and
    the tests show as skips:

    * ``bounded_memory``: a large blob may be held in memory;
    * ``outage``: there is no engine that could fail (``broken_store`` need not be provided);
    * ``sharing``: there is no second instance over the same engine (nor ``reopened``).

    ``clock_step`` is how many seconds the engine's clock needs to show a later time.
    """
