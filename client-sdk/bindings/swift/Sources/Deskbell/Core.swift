// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// What stands between the Swift objects and the C client. It lives from the opening of a client until nobody names it
// any more; C holds one reference to it, which is given back when deskbell_close has returned.
//
// Always true: the C client is closed only when no call of ours is inside it, and never by a callback of its own; a
// call after the end throws `cancelled` and touches no freed memory; what the application gave is let go after the end.
import CDeskbell
import Dispatch
import Foundation

/// Why a thread of ours is in the application's code.
enum Place: String {
    /// A callback: every call but the end is allowed.
    case callback
    /// The log, or a function of a transport, where the C library holds a lock: no call is allowed.
    case locked
}

private func closeDescriptor(_ descriptor: Int32) {
    close(descriptor)
}

final class Core: @unchecked Sendable {
    private enum Life {
        case opening, open, closing, closed
    }

    /// What the application gave; written before the opening and after the end only.
    private(set) var callbacks: Callbacks
    private(set) var transport: Transport?

    private let changed = NSCondition() // guards the rest
    private var life = Life.opening
    private var raw: OpaquePointer?
    private var calls = 0 // that are inside the C client now
    private var source: DispatchSourceRead?

    init(_ options: Options) {
        callbacks = options.callbacks
        transport = options.transport
    }

    // ---- the beginning ----

    /// Opens the C client with `fill`ed options, of which it holds this object as `data`.
    func open(_ fill: (inout deskbell_options) throws -> Int32, deliverOn queue: DispatchQueue?) throws {
        var to = deskbell_options_init()
        let held = Unmanaged.passRetained(self)
        to.data = held.toOpaque()
        do {
            try DeskbellError.check(try fill(&to))
        } catch {
            held.release()
            letGo()
            throw error
        }
        if let queue = queue { deliver(on: queue) }
    }

    /// The C client is there: whoever waits in `call`, a callback that came before deskbell_open returned, goes on.
    func opened(_ client: OpaquePointer?) {
        changed.lock()
        raw = client
        life = .open
        changed.broadcast()
        changed.unlock()
    }

    /// Runs waiting callbacks on that queue. The source has a descriptor of its own, because the C library closes its
    /// own before the source's end has come through the queue.
    private func deliver(on queue: DispatchQueue) {
        let own = dup(deskbell_fd(raw))
        guard own >= 0 else { return }
        let made = DispatchSource.makeReadSource(fileDescriptor: own, queue: queue)
        made.setEventHandler { [weak self] in _ = try? self?.dispatch(0) }
        made.setCancelHandler { closeDescriptor(own) }
        changed.lock()
        let isOpen = life == .open
        if isOpen { source = made }
        changed.unlock()
        made.resume()
        if !isOpen { made.cancel() }
    }

    // ---- calls ----

    /// Runs `body` with the C client, which stays open meanwhile.
    func call<R>(_ body: (OpaquePointer) throws -> R) throws -> R {
        if isInside(.locked) { throw DeskbellError.wrongThread }
        changed.lock()
        while life == .opening { changed.wait() }
        guard life == .open, let client = raw else {
            changed.unlock()
            throw DeskbellError.cancelled
        }
        calls += 1
        changed.unlock()
        defer {
            changed.lock()
            calls -= 1
            changed.broadcast()
            changed.unlock()
        }
        return try body(client)
    }

    /// The same for C functions that return nothing but an error.
    func check(_ body: (OpaquePointer) throws -> Int32) throws {
        try DeskbellError.check(try call(body))
    }

    func dispatch(_ max: Int32) throws -> Int {
        return Int(try DeskbellError.check(try call { deskbell_dispatch($0, max) }))
    }

    // ---- where a thread is ----

    private func key(_ place: Place) -> String {
        return "deskbell.\(place.rawValue).\(UInt(bitPattern: ObjectIdentifier(self)))"
    }

    @discardableResult func inside<R>(_ place: Place, _ run: () -> R) -> R {
        let marks = Thread.current.threadDictionary
        let name = key(place)
        let depth = marks[name] as? Int ?? 0
        marks[name] = depth + 1
        defer {
            if depth == 0 { marks.removeObject(forKey: name) } else { marks[name] = depth }
        }
        return run()
    }

    func isInside(_ place: Place) -> Bool {
        return Thread.current.threadDictionary[key(place)] != nil
    }

    // ---- the end ----

    /// The end, wherever it is asked for. Outside of callbacks it is over when this returns. Inside one no other
    /// callback of the client begins, and the end comes a moment later on another thread.
    func close() {
        let isHere = isInside(.callback) || isInside(.locked)
        guard let client = beginsEnd(waits: !isHere) else { return }
        if !isHere {
            closeNow(client)
            return
        }
        if !isInside(.locked) { deskbell_mute(client) }
        DispatchQueue.global(qos: .utility).async { self.closeNow(client) }
    }

    /// Ends the client and removes everything of the user; when it throws other than `store` the client lives on.
    func logOut(discard: Bool) throws -> Bool {
        if isInside(.callback) || isInside(.locked) { throw DeskbellError.wrongThread }
        guard let client = beginsEnd(waits: true) else { throw DeskbellError.cancelled }
        awaitCalls()
        var wasTold: Int32 = 0
        let returned = deskbell_log_out(client, flag(discard), &wasTold)
        if returned == number(DESKBELL_OK) || returned == number(DESKBELL_E_STORE) {
            ended()
        } else {
            changed.lock()
            life = .open
            source?.resume()
            changed.broadcast()
            changed.unlock()
        }
        try DeskbellError.check(returned)
        return wasTold != 0
    }

    /// The C client, for the one who ends it; nil for everybody else, who waits until it is ended, if asked to.
    private func beginsEnd(waits: Bool) -> OpaquePointer? {
        changed.lock()
        defer { changed.unlock() }
        while waits && life == .closing { changed.wait() }
        guard life == .open else { return nil }
        life = .closing
        source?.suspend() // its descriptor stays readable, and nothing would read it
        return raw
    }

    private func awaitCalls() {
        changed.lock()
        while calls > 0 { changed.wait() }
        changed.unlock()
    }

    /// What runs exactly once (pages, fetches) and had no call yet is called in here, with `cancelled`.
    private func closeNow(_ client: OpaquePointer) {
        awaitCalls()
        deskbell_close(client)
        ended()
    }

    /// deskbell_close has returned: C's reference is given back. Our caller still holds one.
    private func ended() {
        let held = Unmanaged.passUnretained(self)
        letGo()
        held.release()
    }

    private func letGo() {
        changed.lock()
        let last = (callbacks, transport) // may name conversations, which name us: they go after the lock
        callbacks = Callbacks()
        transport = nil
        source?.cancel()
        source?.resume() // it was suspended when the end began
        source = nil
        raw = nil
        life = .closed
        changed.broadcast()
        changed.unlock()
        withExtendedLifetime(last) {}
    }
}
