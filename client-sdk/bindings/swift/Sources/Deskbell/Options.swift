// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// What calls are given. The defaults are those of the initialisers of deskbell.h, which describes each member.
import CDeskbell
import Dispatch

/// Where callbacks run: one at a time, in order.
public enum Delivery: Sendable {
    /// On that queue, which should be serial; `.main` for an application with a screen.
    case queue(DispatchQueue)
    /// On the client's own thread. They should not block.
    case clientThread
    /// Inside `Client.dispatch`, called when `Client.descriptor` is readable.
    case byHand
}

public struct Options {
    public var url: String?
    public var app: String?
    /// nil: in memory, for tests.
    public var dataDir: String?
    public var token: String?
    public var isVisitor = false
    public var agentToken: String?
    public var user: String?
    public var locale: String?
    public var clientName: String?
    public var clientVersion: String?
    public var delivery = Delivery.queue(.main)
    public var manualAck = false
    public var firstPage = 50
    public var snapshot = 50
    public var withTeamLog = true
    public var caFile: String?
    /// nil: the library's own, over libwebsockets.
    public var transport: Transport?
    public var claimsVisitor = false
    public var cacheMaxBytes: Int64 = 0
    public var cacheMaxEntriesPerConversation = 0
    /// "sha256/..." of public keys, at most 16; empty: no pins.
    public var tlsPins: [String] = []
    public var proxy: String?
    /// 32 bytes; nil: the files are not sealed.
    public var storeKey: [UInt8]?
    /// C's table, as it is: of libdeskbell-answers. It stays valid until the client has ended.
    public var answers: UnsafePointer<deskbell_answers>?
    public var callbacks = Callbacks()

    public init() {}

    public init(url: String, app: String, dataDir: String?, token: String? = nil) {
        self.url = url
        self.app = app
        self.dataDir = dataDir
        self.token = token
    }
}

/// What the client tells. Each may be nil. They are let go when the client has ended: until then a closure that holds
/// the client keeps it alive (take it `weak`, or call `close`).
public struct Callbacks {
    public var onState: ((ClientState) -> Void)?
    public var onEntry: ((Entry) -> Void)?
    public var onMessage: ((Message) -> Void)?
    public var onConversation: ((ConversationInfo) -> Void)?
    public var onOpened: ((Opened) -> Void)?
    public var onTyping: ((Typing) -> Void)?
    public var onUnread: ((Int64) -> Void)?
    /// A token is needed: call `setToken`, now or later.
    public var onToken: (() -> Void)?
    public var onNotice: ((Notice) -> Void)?
    public var onProgress: ((UploadProgress) -> Void)?
    public var onPresence: ((Presence) -> Void)?
    /// Told whether everything the server has is in the cache.
    public var onPushSettled: ((Bool) -> Void)?
    public var onDeviceAnswer: ((DeviceAnswer) -> Void)?
    /// On any thread, wherever the others run. Calls of the client are refused there with `wrongThread`.
    public var onLog: ((LogLevel, String) -> Void)?

    public init() {}
}

public struct SendOptions {
    /// `.team` = a note; staff only.
    public var log = EntryLog.public
    public var replyTo: Int64 = 0
    /// A tap on a choice: the entry and the choice.
    public var pressedSeq: Int64 = 0
    public var pressedId: String?
    /// Made by `Client.newCmid`; nil: made here.
    public var cmid: String?
    /// A form that was filled in: the entry and its values.
    public var filledSeq: Int64 = 0
    public var filled: [FormValue] = []
    public var waitForDisk = false

    public init() {}
}

/// An answer to a survey, or more of one. What is not set stays as it was answered before.
public struct Rating {
    /// Within min and max of the survey; -1 = not said.
    public var score = -1
    /// The comment; the answer cannot be changed after it.
    public var said: String?
    public var answers: [SurveySaid] = []
    /// 1, 0; -1 = not said.
    public var wantsContact = -1
    /// Made by `Client.newCmid`; nil: made here.
    public var cmid: String?
    public var waitForDisk = false

    public init() {}
}

/// A file to be sent.
public struct FileSource {
    enum Content {
        case path(String)
        case bytes([UInt8])
    }

    let content: Content
    /// Shown to the others; nil: the last part of the path, or "file".
    public var name: String?
    /// "image/png"; nil: guessed from the end of the name.
    public var media: String?

    /// A local file, which stays as it is until the message is SENT.
    public init(path: String, name: String? = nil, media: String? = nil) {
        content = .path(path)
        self.name = name
        self.media = media
    }

    /// Bytes, which are copied into a file below `dataDir`.
    public init(bytes: [UInt8], name: String? = nil, media: String? = nil) {
        content = .bytes(bytes)
        self.name = name
        self.media = media
    }
}

public struct FileOptions {
    /// The caption; nil: none.
    public var text: String?
    public var log = EntryLog.public
    public var replyTo: Int64 = 0
    public var cmid: String?
    public var waitForDisk = false

    public init() {}
}

public struct HistoryOptions {
    public var log = EntryLog.public
    /// The last ones below this number; 0: not this way.
    public var before: Int64 = 0
    /// The first ones above this number; -1: not this way.
    public var after: Int64 = -1
    public var limit = 50
    public var fromServer = false

    public init() {}
}

public struct SearchOptions {
    public var limit = 20
    /// `next` of the page before; nil: the first page.
    public var before: String?

    public init() {}
}
