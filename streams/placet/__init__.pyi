from placet.faces.sdk.agent import Agent as Agent
from placet.faces.sdk.connection import Connection as Connection
from placet.faces.sdk.connection import connect as connect
from placet.faces.sdk.errors import Deferred as Deferred
from placet.faces.sdk.errors import Denied as Denied
from placet.faces.sdk.errors import Ended as Ended
from placet.faces.sdk.errors import Halted as Halted
from placet.faces.sdk.errors import Misasked as Misasked
from placet.faces.sdk.errors import NoAnswer as NoAnswer
from placet.faces.sdk.errors import NotBegun as NotBegun
from placet.faces.sdk.errors import NotGranted as NotGranted
from placet.faces.sdk.errors import NotTrusted as NotTrusted
from placet.faces.sdk.errors import OutsideMandate as OutsideMandate
from placet.faces.sdk.errors import OverLimit as OverLimit
from placet.faces.sdk.errors import Pending as Pending
from placet.faces.sdk.errors import Settled as Settled
from placet.faces.sdk.errors import Stopped as Stopped
from placet.faces.sdk.errors import TryAgain as TryAgain
from placet.faces.sdk.executor import Executor as Executor
from placet.faces.sdk.feed import Feed as Feed
from placet.faces.sdk.guarded import guarded as guarded
from placet.faces.sdk.models import Answer as Answer
from placet.faces.sdk.models import Bound as Bound
from placet.faces.sdk.models import Grant as Grant
from placet.faces.sdk.models import Obligation as Obligation
from placet.faces.sdk.models import Result as Result

__version__: str
