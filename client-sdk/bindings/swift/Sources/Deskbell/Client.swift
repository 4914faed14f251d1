// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// One user of one app on this device. deskbell.h is the manual of what each function does; every call throws
// DeskbellError. Functions may be called on any thread, also inside callbacks (but not inside onLog or a transport).
import CDeskbell
import Dispatch

public final class Client: @unchecked Sendable {
    let core: Core

    /// Opens the user's file; no connection yet.
    public init(_ options: Options) throws {
        core = Core(options)
        try core.open(options)
    }

    deinit {
        core.close()
    }

    /// Ends the client. Nothing that was handed over is lost. Outside of callbacks it is over when this returns;
    /// inside one the running callback is the last, and the end comes a moment later. Afterwards every call throws
    /// `cancelled`.
    public func close() {
        core.close()
    }

    /// From now on no callback begins; pages and fetches that are owed still come, at the end.
    public func mute() throws {
        try core.check { deskbell_mute($0) }
    }

    // ---- the connection ----

    public func connect() throws {
        try core.check { deskbell_connect($0) }
    }

    public func disconnect() throws {
        try core.check { deskbell_disconnect($0) }
    }

    /// From an NWPathMonitor.
    public func networkChanged() throws {
        try core.check { deskbell_network_changed($0) }
    }

    /// true in applicationDidEnterBackground, false in applicationWillEnterForeground.
    public func setBackground(_ isBackground: Bool) throws {
        try core.check { deskbell_set_background($0, flag(isBackground)) }
    }

    public func setToken(_ token: String) throws {
        try core.check { deskbell_set_token($0, try zeroFree(token)) }
    }

    /// Ends this user's use of this device and removes everything of the user; takes up to 3 s. `unsent`: messages
    /// wait, and the client lives on. True: the server knows that it may send no more notifications here.
    @discardableResult public func logOut(discard: Bool = false) throws -> Bool {
        return try core.logOut(discard: discard)
    }

    @discardableResult public func logOut(discard: Bool = false) async throws -> Bool {
        return try await withCheckedThrowingContinuation { next in
            DispatchQueue.global().async { next.resume(with: Result { try self.core.logOut(discard: discard) }) }
        }
    }

    /// The key the files are sealed under, 32 bytes, in place of the one they were opened with.
    public func changeStoreKey(_ newKey: [UInt8]) throws {
        try core.check { client in
            newKey.withUnsafeBufferPointer { deskbell_change_store_key(client, $0.baseAddress, $0.count) }
        }
    }

    // ---- delivery by hand ----

    /// With `.byHand`: readable while callbacks wait; never read or closed by the application. -1 otherwise.
    public func descriptor() throws -> Int32 {
        return try core.call { deskbell_fd($0) }
    }

    /// With `.byHand`: runs waiting callbacks on this thread, at most `max` (0: all that wait now), and says how many.
    @discardableResult public func dispatch(max: Int = 0) throws -> Int {
        return try core.dispatch(try int(max))
    }

    // ---- notifications ----

    /// What the platform gave to reach this device (APNs: the token in hexadecimal); nil: nowhere any more.
    public func setPush(_ service: PushService, token: String?) throws {
        try core.check { client in
            try Scratch.with { deskbell_set_push(client, service.raw(), try $0.text(token)) }
        }
    }

    /// A notification came. False: what it tells is here already; true: onPushSettled follows.
    public func pushReceived(conversation: String?, seq: Int64 = 0) throws -> Bool {
        return try core.call { client in
            try Scratch.with { scratch in
                var isNews: Int32 = 0
                try DeskbellError.check(deskbell_push_received(client, try scratch.text(conversation), seq, &isNews))
                return isNews != 0
            }
        }
    }

    // ---- conversations ----

    /// Customers: the conversation of that key, made on the server when it is not there.
    public func openConversation(_ key: String = "main") throws -> Conversation {
        return try opened { deskbell_conversation_open($0, try zeroFree(key), &$1) }
    }

    /// The one of that id, for staff and for conversations of the list.
    public func openConversation(id: String) throws -> Conversation {
        return try opened { deskbell_conversation_open_id($0, try zeroFree(id), &$1) }
    }

    private func opened(_ open: (OpaquePointer, inout OpaquePointer?) throws -> Int32) throws -> Conversation {
        return try core.call { client in
            var conversation: OpaquePointer?
            try DeskbellError.check(try open(client, &conversation))
            return Conversation(core, conversation!)
        }
    }

    /// All conversations known, newest message first.
    public func conversations() throws -> [ConversationInfo] {
        let walk = Walk(core)
        try withExtendedLifetime(walk) {
            try core.check { client in
                deskbell_conversations(client, { told, data in
                    let walk = Unmanaged<Walk>.fromOpaque(data!).takeUnretainedValue()
                    walk.found.append(ConversationInfo(walk.core, told!.pointee))
                    return 0
                }, Unmanaged.passUnretained(walk).toOpaque())
            }
        }
        return walk.found
    }

    // ---- messages of this device ----

    /// A new message id, for programs that must know it before the message can leave.
    public func newCmid() throws -> String {
        return try core.call { client in try withCmid { deskbell_cmid_new(client, $0); return 0 } }
    }

    /// Puts a failed or expired message back at the end of the queue; its cmid from now on.
    @discardableResult public func retry(_ cmid: String) throws -> String {
        return try core.call { client in try withCmid { deskbell_retry(client, try zeroFree(cmid), $0) } }
    }

    public func forget(_ cmid: String) throws {
        try core.check { deskbell_forget($0, try zeroFree(cmid)) }
    }

    public func pauseUpload(_ cmid: String) throws {
        try core.check { deskbell_upload_pause($0, try zeroFree(cmid)) }
    }

    public func resumeUpload(_ cmid: String) throws {
        try core.check { deskbell_upload_resume($0, try zeroFree(cmid)) }
    }

    public func cancelUpload(_ cmid: String) throws {
        try core.check { deskbell_upload_cancel($0, try zeroFree(cmid)) }
    }

    // ---- the rest ----

    /// Agents: whether customers may count on this agent.
    public func setPresence(_ availability: Availability) throws {
        try core.check { deskbell_set_presence($0, availability.raw()) }
    }

    public func status() throws -> Status {
        return try core.call { client in
            var now = deskbell_status_init()
            try DeskbellError.check(deskbell_status(client, &now))
            return Status(now)
        }
    }
}

/// A walk over the conversations.
private final class Walk {
    let core: Core
    var found: [ConversationInfo] = []

    init(_ core: Core) {
        self.core = core
    }
}

/// Gives `body` room for a cmid; returns what was written there.
func withCmid(_ body: (UnsafeMutablePointer<CChar>?) throws -> Int32) throws -> String {
    var room = [CChar](repeating: 0, count: 33)
    return try room.withUnsafeMutableBufferPointer { place in
        try DeskbellError.check(try body(place.baseAddress))
        return string(place.baseAddress)
    }
}
