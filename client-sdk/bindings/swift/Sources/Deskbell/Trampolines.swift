// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// Functions of C's kind for each callback that is set, and the C options out of ours. `data` is the Core, which C holds
// until deskbell_close has returned. Everything that C tells is copied before the application sees it.
import CDeskbell
import Dispatch

func core(_ data: UnsafeMutableRawPointer?) -> Core {
    return Unmanaged<Core>.fromOpaque(data!).takeUnretainedValue()
}

/// Runs a callback of the application.
private func give(_ data: UnsafeMutableRawPointer?, _ run: (Core) -> Void) {
    let to = core(data)
    to.inside(.callback) { run(to) }
}

extension deskbell_options {
    /// The callbacks that are set and no others: the C library asks for a token where on_token is.
    mutating func setCallbacks(_ on: Callbacks) {
        setMessageCallbacks(on)
        setListCallbacks(on)
        if on.onState != nil {
            on_state = { _, told, data in give(data) { $0.callbacks.onState?(ClientState(told!.pointee)) } }
        }
        if on.onToken != nil {
            on_token = { _, data in give(data) { $0.callbacks.onToken?() } }
        }
        if on.onNotice != nil {
            on_notice = { _, kind, conversation, detail, data in
                give(data) {
                    $0.callbacks.onNotice?(Notice(kind: NoticeKind(kind), conversation: $0.name(conversation),
                                                  detail: string(detail)))
                }
            }
        }
        if on.onPushSettled != nil {
            on_push_settled = { _, isCaughtUp, data in give(data) { $0.callbacks.onPushSettled?(isCaughtUp != 0) } }
        }
        if on.onDeviceAnswer != nil {
            on_device_answer = { _, told, data in
                give(data) { $0.callbacks.onDeviceAnswer?(DeviceAnswer($0, told!.pointee)) }
            }
        }
        if on.onLog != nil {
            on_log = { level, line, data in
                let to = core(data)
                to.inside(.locked) { to.callbacks.onLog?(LogLevel(level), string(line)) }
            }
        }
    }

    private mutating func setMessageCallbacks(_ on: Callbacks) {
        if on.onEntry != nil {
            on_entry = { _, told, data in give(data) { $0.callbacks.onEntry?(Entry($0, told!.pointee)) } }
        }
        if on.onMessage != nil {
            on_message = { _, told, data in give(data) { $0.callbacks.onMessage?(Message($0, told!.pointee)) } }
        }
        if on.onProgress != nil {
            on_progress = { _, told, data in
                give(data) { $0.callbacks.onProgress?(UploadProgress($0, told!.pointee)) }
            }
        }
        if on.onTyping != nil {
            on_typing = { _, conversation, author, isTyping, data in
                give(data) {
                    $0.callbacks.onTyping?(Typing(conversation: $0.name(conversation)!, author: string(author),
                                                  isTyping: isTyping != 0))
                }
            }
        }
    }

    private mutating func setListCallbacks(_ on: Callbacks) {
        if on.onConversation != nil {
            on_conversation = { _, told, data in
                give(data) { $0.callbacks.onConversation?(ConversationInfo($0, told!.pointee)) }
            }
        }
        if on.onOpened != nil {
            on_opened = { _, conversation, seq, iseq, data in
                give(data) {
                    $0.callbacks.onOpened?(Opened(conversation: $0.name(conversation)!, seq: seq, iseq: iseq))
                }
            }
        }
        if on.onUnread != nil {
            on_unread = { _, total, data in give(data) { $0.callbacks.onUnread?(total) } }
        }
        if on.onPresence != nil {
            on_presence = { _, told, data in give(data) { $0.callbacks.onPresence?(Presence($0, told!.pointee)) } }
        }
    }

    /// Everything but callbacks, transport and key; the texts live as long as the scratch.
    mutating func set(_ from: Options, _ scratch: Scratch) throws {
        url = try scratch.text(from.url)
        app = try scratch.text(from.app)
        data_dir = try scratch.text(from.dataDir)
        token = try scratch.text(from.token)
        is_visitor = flag(from.isVisitor)
        agent_token = try scratch.text(from.agentToken)
        user = try scratch.text(from.user)
        locale = try scratch.text(from.locale)
        client_name = try scratch.text(from.clientName)
        client_version = try scratch.text(from.clientVersion)
        if case .clientThread = from.delivery { callbacks_by_dispatch = 0 } else { callbacks_by_dispatch = 1 }
        manual_ack = flag(from.manualAck)
        first_page = try int(from.firstPage)
        snapshot = try int(from.snapshot)
        with_team_log = flag(from.withTeamLog)
        ca_file = try scratch.text(from.caFile)
        claims_visitor = flag(from.claimsVisitor)
        cache_max_bytes = from.cacheMaxBytes
        cache_max_entries_per_conversation = try int(from.cacheMaxEntriesPerConversation)
        tls_pins = try scratch.texts(from.tlsPins)
        tls_pins_count = from.tlsPins.count
        proxy = try scratch.text(from.proxy)
        answers = from.answers
    }
}

extension Core {
    /// Opens the C client out of what the application gave.
    func open(_ from: Options) throws {
        var queue: DispatchQueue?
        if case .queue(let given) = from.delivery { queue = given }
        try Scratch.with { scratch in
            try open({ to in
                try to.set(from, scratch)
                to.setCallbacks(from.callbacks)
                return try self.openWith(&to, from, scratch)
            }, deliverOn: queue)
        }
    }

    /// With the transport, if there is one, and the key, of which no copy is made.
    private func openWith(_ to: inout deskbell_options, _ from: Options, _ scratch: Scratch) throws -> Int32 {
        if let own = from.transport { to.transport = scratch.array([deskbell_transport(of: own, data: to.data)]) }
        guard let key = from.storeKey else { return openNow(&to) }
        return key.withUnsafeBufferPointer { bytes in
            to.store_key = bytes.baseAddress
            to.store_key_len = bytes.count
            return openNow(&to)
        }
    }

    private func openNow(_ to: inout deskbell_options) -> Int32 {
        var client: OpaquePointer?
        let returned = deskbell_open(&to, &client)
        if returned == number(DESKBELL_OK) { opened(client) }
        return returned
    }
}
