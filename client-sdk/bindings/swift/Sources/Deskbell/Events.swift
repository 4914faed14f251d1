// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// All that the client tells as one sequence, for `for await`.

public enum Event: Sendable {
    case state(ClientState)
    case entry(Entry)
    case message(Message)
    case conversation(ConversationInfo)
    case opened(Opened)
    case typing(Typing)
    case unread(Int64)
    case tokenNeeded
    case notice(Notice)
    case progress(UploadProgress)
    case presence(Presence)
    case pushSettled(Bool)
    case deviceAnswer(DeviceAnswer)
}

extension Client {
    /// Opens a client whose callbacks, but for onLog, are the events of a stream, which ends with the client. What is
    /// in the stream counts as told; it holds all that was not taken yet. Without a token in the options (and for no
    /// visitor or agent) `tokenNeeded` comes first.
    public static func streaming(_ from: Options) throws -> (client: Client, events: AsyncStream<Event>) {
        var options = from
        var held: AsyncStream<Event>.Continuation?
        let events = AsyncStream<Event> { held = $0 }
        let to = held!
        let end = End { to.finish() }
        options.callbacks = Callbacks()
        options.callbacks.onLog = from.callbacks.onLog
        options.callbacks.onState = { to.yield(.state($0)) }
        options.callbacks.onEntry = { to.yield(.entry($0)) }
        options.callbacks.onMessage = { to.yield(.message($0)) }
        options.callbacks.onConversation = { to.yield(.conversation($0)) }
        options.callbacks.onOpened = { to.yield(.opened($0)) }
        options.callbacks.onTyping = { to.yield(.typing($0)) }
        options.callbacks.onUnread = { to.yield(.unread($0)) }
        if !from.isVisitor && from.agentToken == nil {
            options.callbacks.onToken = { to.yield(.tokenNeeded) }
        }
        options.callbacks.onNotice = { to.yield(.notice($0)) }
        options.callbacks.onProgress = { to.yield(.progress($0)) }
        options.callbacks.onPresence = { to.yield(.presence($0)) }
        options.callbacks.onDeviceAnswer = { to.yield(.deviceAnswer($0)) }
        options.callbacks.onPushSettled = { told in withExtendedLifetime(end) { _ = to.yield(.pushSettled(told)) } }
        return (try Client(options), events)
    }
}

/// Runs a closure when it is let go: the callbacks hold it, and go when the client has ended.
private final class End {
    private let run: () -> Void

    init(_ run: @escaping () -> Void) {
        self.run = run
    }

    deinit {
        run()
    }
}
