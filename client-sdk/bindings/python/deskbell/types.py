# SPDX-License-Identifier: Apache-2.0
"""The values of the binding: what callbacks are given and what calls return. Each is the C struct of the same name in
deskbell.h, where its members are described; all own what they hold. A text that is absent is "", a number 0."""
import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, List, Mapping, Optional, Sequence, Union

from . import _native

if TYPE_CHECKING:
    from .client import Conversation
    from .transport import Transport


class ErrorCode(enum.IntEnum):
    OK = 0
    INVALID = -1
    NOMEM = -2
    LOCKED = -3
    STORE = -4
    STORE_NEWER = -5
    OUTBOX_FULL = -6
    TOO_LONG = -7
    TEXT = -8
    NOT_FOUND = -9
    EXISTS = -10
    STATE = -11
    OFFLINE = -12
    REFUSED = -13
    WRONG_THREAD = -14
    TRANSPORT = -15
    CANCELLED = -16
    OTHER_USER = -17
    DAMAGED = -18
    UNSENT = -19
    FORM = -20
    KEY = -21


class Error(Exception):
    """What every call raises when the C function returns an error; nothing was changed. `code` is an ErrorCode, or the
    bare number when the library is newer."""

    def __init__(self, code: int) -> None:
        self.code = known(ErrorCode, code)
        super().__init__(_native.lib.deskbell_error_text(int(code)).decode())


def known(kind: Any, value: int) -> Any:
    """The member of that enumeration; the bare number when a newer library tells one that is not known here."""
    try:
        return kind(value)
    except ValueError:
        return value


class Connection(enum.IntEnum):
    DISCONNECTED = 0
    CONNECTING = 1
    ONLINE = 2
    WAITING = 3
    DELAYED = 4
    NEEDS_TOKEN = 5
    STOPPED = 6
    PAUSED = 7


class Log(enum.IntEnum):
    PUBLIC = 0
    TEAM = 1


class Kind(enum.IntEnum):
    """A kind of a newer library is a bare number: show such an entry by its text."""
    OTHER = 0
    TEXT = 1
    ATTACHMENT = 2
    CHOICES = 3
    CARD = 4
    FORM = 5
    ARTICLE = 6
    SURVEY = 8
    RATING = 9
    EDIT = 20
    ERASE = 21
    ERASED = 22
    REVISION = 23
    SURVEY_END = 27


class Origin(enum.IntEnum):
    SNAPSHOT = 0
    FOLLOWING = 1


class MessageState(enum.IntEnum):
    QUEUED = 1
    SENT = 2
    DELIVERED = 3
    READ = 4
    FAILED = 5
    EXPIRED = 6
    UPLOADING = 7


class Operation(enum.IntEnum):
    SEND = 1
    EDIT = 2
    ERASE = 3


class NoticeKind(enum.IntEnum):
    RESET = 1
    STORE_SET_ASIDE = 2
    STORE_FAILING = 3
    CONVERSATION_REFUSED = 4
    CONVERSATION_ERASED = 5
    CLAIM_REFUSED = 6
    OUTBOX_RESCUED = 7


class Level(enum.IntEnum):
    ERROR = 0
    WARN = 1
    INFO = 2
    DEBUG = 3


class PresenceOf(enum.IntEnum):
    TEAM = 1
    CUSTOMER = 2


class Availability(enum.IntEnum):
    AWAY = 1
    HERE = 2


class SurveyState(enum.IntEnum):
    OTHER = 0
    WAITING = 1
    ANSWERED = 2
    EXPIRED = 3
    WITHDRAWN = 4


class Push(enum.IntEnum):
    FCM = 1
    APNS = 2
    WNS = 3
    HMS = 4
    WEBPUSH = 5
    CUSTOM = 6


#: The header's enumerations and what stands for them here.
ENUMS = {"deskbell_error": ErrorCode, "deskbell_connection": Connection, "deskbell_log": Log,
         "deskbell_kind": Kind, "deskbell_origin": Origin, "deskbell_message_state": MessageState,
         "deskbell_operation": Operation, "deskbell_notice": NoticeKind, "deskbell_level": Level,
         "deskbell_presence_of": PresenceOf, "deskbell_availability": Availability,
         "deskbell_push": Push, "deskbell_survey_state": SurveyState}


# ---- what callbacks are given ----------------------------------------------------------------------------------------

@dataclass(frozen=True)
class State:
    connection: Connection
    retry_in_ms: int
    why: str
    caught_up: bool
    principal: str
    name: str
    epoch: str


@dataclass(frozen=True)
class Choice:
    id: str
    label: str


@dataclass(frozen=True)
class FormField:
    id: str
    label: str
    input: str
    required: bool


@dataclass(frozen=True)
class FormValue:
    id: str
    value: str


@dataclass(frozen=True)
class SurveyQuestion:
    id: str
    kind: str
    text: str
    choices: List[Choice]
    min: int
    max: int
    low: str
    high: str
    required: bool
    from_score: int
    to_score: int


@dataclass(frozen=True)
class SurveySaid:
    """The answer to one further question: `chosen`, `number` or `words`."""
    question: str
    chosen: List[str] = field(default_factory=list)
    number: Optional[int] = None
    words: str = ""


@dataclass(frozen=True)
class Survey:
    """score and wants_contact are None while nothing was said."""
    offer: str
    survey: str
    version: int
    metric: str
    style: str
    min: int
    max: int
    low: str
    high: str
    questions: List[SurveyQuestion]
    comment: str
    contact: str
    thanks: str
    colour: str
    brand: str
    state: SurveyState
    until_ms: int
    score: Optional[int]
    said: str
    answers: List[SurveySaid]
    wants_contact: Optional[bool]
    is_locked: bool


@dataclass(frozen=True)
class File:
    id: str
    name: str
    media: str
    size: int
    width: int
    height: int
    sha256: bytes


@dataclass(frozen=True)
class Entry:
    conversation: "Conversation"
    origin: Origin
    log: Log
    number: int
    at_seq: int
    epoch: str
    ts_ms: int
    author: str
    name: str
    is_mine: bool
    cmid: str
    kind: Kind
    version: int
    of: int
    reply_to: int
    text: str
    choices: List[Choice]
    form: List[FormField]
    title: str
    link: str
    pressed_seq: int
    pressed_id: str
    hash: bytes
    files: List[File]
    filled_seq: int
    filled: List[FormValue]
    survey: Optional[Survey]


@dataclass(frozen=True)
class Message:
    conversation: "Conversation"
    cmid: str
    operation: Operation
    state: MessageState
    is_again: bool
    log: Log
    number: int
    at_seq: int
    ts_ms: int
    epoch: str
    is_duplicate: bool
    tag: str
    text: str
    of: int
    hash: bytes
    files: List[File]
    is_paused: bool
    pressed_seq: int
    filled_seq: int
    rated_seq: int


@dataclass(frozen=True)
class Progress:
    conversation: "Conversation"
    cmid: str
    file: int
    files: int
    sent: int
    total: int


@dataclass(frozen=True)
class Presence:
    of: PresenceOf
    is_here: bool
    conversation: Optional["Conversation"]
    customer: str
    last_seen_ms: int


@dataclass(frozen=True)
class DeviceAnswer:
    """Found on this device for a message of its own, without a session."""
    conversation: "Conversation"
    cmid: str
    text: str
    rule: str
    version: str
    ts_ms: int
    is_again: bool
    is_taken_back: bool


@dataclass(frozen=True)
class Marks:
    customer_recv: int
    customer_read: int
    staff_recv: int
    staff_read: int


@dataclass(frozen=True)
class ConversationInfo:
    conversation: "Conversation"
    id: str
    key: str
    customer: str
    customer_name: str
    has_left: bool
    head: int
    ihead: int
    rev: int
    marks: Marks
    unread: int
    unanswered: int
    waiting_since_ms: int
    last_ts_ms: int
    last_author: str
    last_preview: str


@dataclass(frozen=True)
class Opened:
    conversation: "Conversation"
    seq: int
    iseq: int


@dataclass(frozen=True)
class Typing:
    conversation: "Conversation"
    author: str
    is_typing: bool


@dataclass(frozen=True)
class Notice:
    kind: NoticeKind
    conversation: Optional["Conversation"]
    detail: str


@dataclass(frozen=True)
class HistoryPage:
    """`error` is OK, or there are no entries."""
    error: ErrorCode
    entries: List[Entry]
    head: int
    more: bool


@dataclass(frozen=True)
class Found:
    conversation: str
    customer: str
    log: Log
    number: int
    ts_ms: int
    author: str
    kind: str
    before: str
    hit: str
    after: str


@dataclass(frozen=True)
class SearchPage:
    error: ErrorCode
    found: List[Found]
    next: str
    is_cut: bool


@dataclass(frozen=True)
class Fetched:
    """The end of a fetch. `error` is OK and the whole file is at `path`, or see deskbell_fetch_done_fn."""
    fetch: int
    error: ErrorCode
    path: str


@dataclass(frozen=True)
class Status:
    queued: int
    queued_bytes: int
    failed: int
    unread: int
    is_online: bool
    is_caught_up: bool
    callbacks_waiting: int


# ---- what calls are given --------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class FileSource:
    """A local path, or bytes with a name."""
    path: Optional[str] = None
    bytes: Optional[bytes] = None
    name: Optional[str] = None
    media: Optional[str] = None


#: What send_file takes: a path, or a FileSource.
Source = Union[str, FileSource]


@dataclass
class Options:
    """As struct deskbell_options; None = none. Callbacks run one at a time, in order: on the client's own thread, or
    with callbacks_by_dispatch inside Client.dispatch. One that raises: see Client."""
    url: Optional[str] = None
    app: Optional[str] = None
    data_dir: Optional[str] = None
    token: Optional[str] = None
    is_visitor: bool = False
    agent_token: Optional[str] = None
    user: Optional[str] = None
    locale: Optional[str] = None
    client_name: Optional[str] = None
    client_version: Optional[str] = None
    callbacks_by_dispatch: bool = False
    manual_ack: bool = False
    first_page: int = 50
    snapshot: int = 50
    with_team_log: bool = True
    ca_file: Optional[str] = None
    transport: Optional["Transport"] = None
    mono_ms: Optional[Callable[[], int]] = None
    wall_ms: Optional[Callable[[], int]] = None
    random: Optional[Callable[[int], bytes]] = None
    on_state: Optional[Callable[[State], Any]] = None
    on_entry: Optional[Callable[[Entry], Any]] = None
    on_message: Optional[Callable[[Message], Any]] = None
    on_conversation: Optional[Callable[[ConversationInfo], Any]] = None
    on_opened: Optional[Callable[[Opened], Any]] = None
    on_typing: Optional[Callable[[Typing], Any]] = None
    on_unread: Optional[Callable[[int], Any]] = None
    on_token: Optional[Callable[[], Any]] = None
    on_notice: Optional[Callable[[Notice], Any]] = None
    on_log: Optional[Callable[[Level, str], Any]] = None
    claims_visitor: bool = False
    on_progress: Optional[Callable[[Progress], Any]] = None
    on_presence: Optional[Callable[[Presence], Any]] = None
    on_push_settled: Optional[Callable[[bool], Any]] = None  # told is_caught_up
    cache_max_bytes: int = 0
    cache_max_entries_per_conversation: int = 0
    tls_pins: Sequence[str] = ()  # "sha256/..."
    proxy: Optional[str] = None
    store_key: Optional[bytes] = None  # 32 bytes
    answers: Optional[str] = None  # path or name of libdeskbell-answers, e.g. "libdeskbell-answers.so.0"
    on_device_answer: Optional[Callable[[DeviceAnswer], Any]] = None
    #: Told what a callback on the client's own thread raised. None: one line to on_log names its type.
    on_exception: Optional[Callable[[BaseException], Any]] = None


Sources = Union[Source, Sequence[Source]]
Values = Union[Mapping[str, str], Sequence[FormValue]]
