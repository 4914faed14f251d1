// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// A conversation as its client knows it: a value that may outlive the client; its functions throw `cancelled` then.
// Equal values name the same conversation of the same client.
import CDeskbell

public struct Conversation: Hashable, @unchecked Sendable {
    let core: Core
    private let raw: OpaquePointer

    init(_ core: Core, _ raw: OpaquePointer) {
        self.core = core
        self.raw = raw
    }

    public static func == (one: Conversation, other: Conversation) -> Bool {
        return one.core === other.core && one.raw == other.raw
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(core))
        hasher.combine(raw)
    }

    /// Runs `body` with the C conversation, whose client stays open meanwhile.
    func call<R>(_ body: (OpaquePointer) throws -> R) throws -> R {
        return try core.call { _ in try body(raw) }
    }

    func check(_ body: (OpaquePointer) throws -> Int32) throws {
        try DeskbellError.check(try call(body))
    }

    public func belongs(to client: Client) throws -> Bool {
        return try client.core.call { owner in
            client.core === core && deskbell_conversation_client(raw) == owner
        }
    }

    /// "cnv_...", or "" while the server has not made it.
    public func id() throws -> String {
        return try call { raw in
            var room = [CChar](repeating: 0, count: 18)
            deskbell_conversation_id(raw, &room)
            return String(cString: room)
        }
    }

    /// No more entries of it. It may be opened again.
    public func close() throws {
        try check { deskbell_conversation_close($0) }
    }

    // ---- sending ----

    /// Hands a text over; onMessage tells what becomes of it. Returns its cmid. With `filledSeq` the text may be nil.
    @discardableResult public func send(_ text: String?, _ options: SendOptions = SendOptions()) throws -> String {
        return try withOptions(options) { raw, to, scratch in
            let words = try scratch.text(text, refusal: .text)
            return try withCmid { deskbell_send(raw, words, &to, $0) }
        }
    }

    /// A new text for an own message that has a place; `version` is the one the user saw.
    @discardableResult public func edit(_ number: Int64, version: Int64, _ text: String,
                                        _ options: SendOptions = SendOptions()) throws -> String {
        return try withOptions(options) { raw, to, scratch in
            let words = try scratch.text(text, refusal: .text)
            return try withCmid { deskbell_edit(raw, number, version, words, &to, $0) }
        }
    }

    @discardableResult public func erase(_ number: Int64, _ options: SendOptions = SendOptions()) throws -> String {
        return try withOptions(options) { raw, to, _ in
            try withCmid { deskbell_erase(raw, number, &to, $0) }
        }
    }

    private func withOptions(_ from: SendOptions, _ body: (OpaquePointer, inout deskbell_send_options, Scratch) throws
                             -> String) throws -> String {
        return try call { raw in
            try Scratch.with { scratch in
                var to = deskbell_send_options_init()
                to.log = from.log.raw()
                to.reply_to = from.replyTo
                to.pressed_seq = from.pressedSeq
                to.pressed_id = try scratch.text(from.pressedId)
                to.cmid = try scratch.text(from.cmid)
                to.filled_seq = from.filledSeq
                to.filled = try scratch.values(from.filled)
                to.filled_count = from.filled.count
                to.wait_for_disk = flag(from.waitForDisk)
                return try body(raw, &to, scratch)
            }
        }
    }

    /// Sends a message with 1-10 files. Returns its cmid.
    @discardableResult public func send(files: [FileSource], _ options: FileOptions = FileOptions()) throws -> String {
        return try call { raw in
            try Scratch.with { scratch in
                var to = deskbell_file_options_init()
                to.files = scratch.array(try files.map { try $0.inC(scratch) })
                to.files_count = files.count
                to.text = try scratch.text(options.text, refusal: .text)
                to.log = options.log.raw()
                to.reply_to = options.replyTo
                to.cmid = try scratch.text(options.cmid)
                to.wait_for_disk = flag(options.waitForDisk)
                return try withCmid { deskbell_send_file(raw, &to, $0) }
            }
        }
    }

    /// Answers survey `number`, or adds to its answer. Returns its cmid.
    @discardableResult public func answer(_ number: Int64, _ rating: Rating) throws -> String {
        return try call { raw in
            try Scratch.with { scratch in
                var to = try scratch.rating(rating)
                return try withCmid { deskbell_survey_answer(raw, number, &to, $0) }
            }
        }
    }

    // ---- reading ----

    /// The user has read the public log up to there.
    public func markRead(_ seq: Int64) throws {
        try check { deskbell_mark_read($0, seq) }
    }

    /// The user is writing. Call it on each key.
    public func typing() throws {
        try check { deskbell_typing($0) }
    }

    /// With `manualAck`: the application is done with all entries of that log up to `number`.
    public func entryDone(_ log: EntryLog, _ number: Int64) throws {
        try check { deskbell_entry_done($0, log.raw(), number) }
    }
}

extension FileSource {
    func inC(_ scratch: Scratch) throws -> deskbell_file_source {
        var to = deskbell_file_source()
        switch content {
        case .path(let path):
            to.path = try scratch.text(path)
        case .bytes(let all):
            to.bytes = UnsafeRawPointer(scratch.bytes(all))
            to.bytes_len = all.count
        }
        to.name = try scratch.text(name)
        to.media = try scratch.text(media)
        return to
    }
}
