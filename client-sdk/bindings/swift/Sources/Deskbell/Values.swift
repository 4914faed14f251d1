// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// What callbacks are given and what calls return: values to keep. Each is the C struct of the same name in deskbell.h,
// which describes its members. A text that is absent is "", a number 0.

public struct ClientState: Hashable, Sendable {
    public let connection: Connection
    public let retryInMs: Int64
    public let why: String
    public let isCaughtUp: Bool
    public let principal: String
    public let name: String
    public let epoch: String
}

public struct Choice: Hashable, Sendable {
    public let id: String
    public let label: String
}

public struct FormField: Hashable, Sendable {
    public let id: String
    public let label: String
    /// "text", "email", "number" or "date".
    public let input: String
    public let isRequired: Bool

    public init(id: String, label: String, input: String, isRequired: Bool) {
        self.id = id
        self.label = label
        self.input = input
        self.isRequired = isRequired
    }
}

public struct FormValue: Hashable, Sendable {
    public let id: String
    public let value: String

    public init(id: String, value: String) {
        self.id = id
        self.value = value
    }
}

/// A further question of a survey. Ask it when the score is within `fromScore` and `toScore`.
public struct SurveyQuestion: Hashable, Sendable {
    public let id: String
    /// "choice", "choices" (several), "scale" or "text"; what you do not know: leave it out.
    public let kind: String
    public let text: String
    public let choices: [Choice]
    public let min: Int
    public let max: Int
    public let low: String
    public let high: String
    public let isRequired: Bool
    public let fromScore: Int
    public let toScore: Int
}

/// The answer to one further question: `chosen`, `words` or `number` (-1 = none).
public struct SurveySaid: Hashable, Sendable {
    public let question: String
    public let chosen: [String]
    public let number: Int
    public let words: String

    public init(question: String, chosen: [String] = [], number: Int = -1, words: String = "") {
        self.question = question
        self.chosen = chosen
        self.number = number
        self.words = words
    }
}

/// A survey, and what has become of it.
public struct Survey: Hashable, Sendable {
    public let offer: String
    public let survey: String
    public let version: Int64
    /// "csat", "nps" or "ces".
    public let metric: String
    /// How to draw the scale: "stars", "emoji", "numbers" or "thumbs".
    public let style: String
    public let min: Int
    public let max: Int
    public let low: String
    public let high: String
    public let questions: [SurveyQuestion]
    public let comment: String
    public let contact: String
    public let thanks: String
    public let colour: String
    public let brand: String
    public let state: SurveyState
    public let untilMs: Int64
    /// As answered; -1 = none.
    public let score: Int
    public let said: String
    public let answers: [SurveySaid]
    /// 1, 0; -1 = not said.
    public let wantsContact: Int
    public let isLocked: Bool
}

/// A file of a message.
public struct File: Hashable, Sendable {
    public let id: String
    /// As the sender named it: show it, never use it as a path.
    public let name: String
    public let media: String
    public let size: Int64
    public let width: Int
    public let height: Int
    public let sha256: [UInt8]
}

public struct Entry: Hashable, Sendable {
    public let conversation: Conversation
    public let origin: Origin
    public let log: EntryLog
    public let number: Int64
    public let atSeq: Int64
    public let epoch: String
    public let tsMs: Int64
    public let author: String
    public let name: String
    public let isMine: Bool
    public let cmid: String
    public let kind: Kind
    public let version: Int64
    public let of: Int64
    public let replyTo: Int64
    public let text: String
    public let choices: [Choice]
    public let form: [FormField]
    public let title: String
    public let link: String
    public let pressedSeq: Int64
    public let pressedId: String
    public let hash: [UInt8]
    public let files: [File]
    public let filledSeq: Int64
    public let filled: [FormValue]
    public let survey: Survey?
}

/// A message, edit or erasure of this device.
public struct Message: Hashable, Sendable {
    public let conversation: Conversation
    public let cmid: String
    public let operation: MessageOperation
    public let state: MessageState
    public let isAgain: Bool
    public let log: EntryLog
    public let number: Int64
    public let atSeq: Int64
    public let tsMs: Int64
    public let epoch: String
    public let isDuplicate: Bool
    public let tag: String
    public let text: String
    public let of: Int64
    public let hash: [UInt8]
    public let files: [File]
    public let isPaused: Bool
    public let pressedSeq: Int64
    public let filledSeq: Int64
    public let ratedSeq: Int64
}

public struct UploadProgress: Hashable, Sendable {
    public let conversation: Conversation
    public let cmid: String
    public let file: Int
    public let files: Int
    public let sent: Int64
    public let total: Int64
}

public struct Marks: Hashable, Sendable {
    public let customerRecv: Int64
    public let customerRead: Int64
    public let staffRecv: Int64
    public let staffRead: Int64
}

public struct Presence: Hashable, Sendable {
    public let of: PresenceOf
    public let isHere: Bool
    public let conversation: Conversation?
    public let customer: String
    public let lastSeenMs: Int64
}

/// What this device has found for a message of its own without a session.
public struct DeviceAnswer: Hashable, Sendable {
    public let conversation: Conversation
    public let cmid: String
    /// Shown below that message, marked as found on this device.
    public let text: String
    public let rule: String
    public let version: String
    public let tsMs: Int64
    public let isAgain: Bool
    /// Not to be shown any more.
    public let isTakenBack: Bool
}

public struct ConversationInfo: Hashable, Sendable {
    public let conversation: Conversation
    public let id: String
    public let key: String
    public let customer: String
    public let customerName: String
    public let hasLeft: Bool
    public let head: Int64
    public let ihead: Int64
    public let rev: Int64
    public let marks: Marks
    public let unread: Int64
    public let unanswered: Int64
    public let waitingSinceMs: Int64
    public let lastTsMs: Int64
    public let lastAuthor: String
    public let lastPreview: String
}

/// The snapshot of a conversation is complete.
public struct Opened: Hashable, Sendable {
    public let conversation: Conversation
    public let seq: Int64
    public let iseq: Int64
}

public struct Typing: Hashable, Sendable {
    public let conversation: Conversation
    public let author: String
    public let isTyping: Bool
}

public struct Notice: Hashable, Sendable {
    public let kind: NoticeKind
    public let conversation: Conversation?
    public let detail: String
}

/// A page of a log, in rising order.
public struct HistoryPage: Hashable, Sendable {
    public let entries: [Entry]
    public let head: Int64
    public let more: Bool
}

public struct Found: Hashable, Sendable {
    public let conversation: String
    public let customer: String
    public let log: EntryLog
    public let number: Int64
    public let tsMs: Int64
    public let author: String
    public let kind: String
    public let before: String
    public let hit: String
    public let after: String
}

public struct SearchPage: Hashable, Sendable {
    public let found: [Found]
    /// For the next page; "" on the last one.
    public let next: String
    public let isCut: Bool
}

public struct Status: Hashable, Sendable {
    public let queued: Int64
    public let queuedBytes: Int64
    public let failed: Int64
    public let unread: Int64
    public let isOnline: Bool
    public let isCaughtUp: Bool
    public let callbacksWaiting: Int
}
