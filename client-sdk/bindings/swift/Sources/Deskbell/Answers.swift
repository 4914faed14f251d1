// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// What is answered later and exactly once: pages of a log, searches, fetched files. Each comes in two forms: a closure,
// which runs where callbacks run, and an `async` function. A call that throws never runs its closure. When the client
// is closed meanwhile the answer is `cancelled`.
import CDeskbell
import Foundation

/// What waits for one answer. C holds one reference, which the answer gives back.
private final class Waiting<Answer> {
    let core: Core
    let done: (Result<Answer, DeskbellError>) -> Void
    let progress: ((Int64, Int64) -> Void)?

    init(_ core: Core, progress: ((Int64, Int64) -> Void)? = nil,
         _ done: @escaping (Result<Answer, DeskbellError>) -> Void) {
        self.core = core
        self.progress = progress
        self.done = done
    }

    /// Calls C with itself as `data`; C's reference is taken back when C refuses.
    func start(_ call: (UnsafeMutableRawPointer) throws -> Int32) throws {
        let held = Unmanaged.passRetained(self)
        do {
            try DeskbellError.check(try call(held.toOpaque()))
        } catch {
            held.release()
            throw error
        }
    }

    static func answer(_ data: UnsafeMutableRawPointer?, _ error: Int32, _ copy: (Core) -> Answer) {
        let waiting = Unmanaged<Waiting>.fromOpaque(data!).takeRetainedValue()
        let isWell = error == number(DESKBELL_OK)
        let result: Result<Answer, DeskbellError> =
            isWell ? .success(copy(waiting.core)) : .failure(DeskbellError(error))
        waiting.core.inside(.callback) { waiting.done(result) }
    }

    static func peek(_ data: UnsafeMutableRawPointer?) -> Waiting {
        return Unmanaged<Waiting>.fromOpaque(data!).takeUnretainedValue()
    }
}

extension Conversation {
    /// A page of the conversation: from the cache where it holds the page, else from the server.
    public func history(_ options: HistoryOptions = HistoryOptions(),
                        then done: @escaping (Result<HistoryPage, DeskbellError>) -> Void) throws {
        var to = deskbell_history_options_init()
        to.log = options.log.raw()
        to.before = options.before
        to.after = options.after
        to.limit = try int(options.limit)
        to.from_server = flag(options.fromServer)
        try call { raw in
            try Waiting<HistoryPage>(core, done).start { data in
                deskbell_history(raw, &to, { _, error, entries, count, head, more, data in
                    Waiting<HistoryPage>.answer(data, error) {
                        HistoryPage($0, entries, count, head: head, more: more != 0)
                    }
                }, data)
            }
        }
    }

    public func history(_ options: HistoryOptions = HistoryOptions()) async throws -> HistoryPage {
        return try await withCheckedThrowingContinuation { next in
            do {
                try history(options) { next.resume(with: $0) }
            } catch {
                next.resume(throwing: error)
            }
        }
    }
}

extension Client {
    /// Looks on the server for entries that hold all words of `query`.
    public func search(_ query: String, _ options: SearchOptions = SearchOptions(),
                       then done: @escaping (Result<SearchPage, DeskbellError>) -> Void) throws {
        try core.call { client in
            try Scratch.with { scratch in
                var to = deskbell_search_options_init()
                to.limit = try int(options.limit)
                to.before = try scratch.text(options.before)
                let words = try scratch.text(query, refusal: .text)
                try Waiting<SearchPage>(core, done).start { data in
                    deskbell_search(client, words, &to, { _, error, found, count, next, isCut, data in
                        Waiting<SearchPage>.answer(data, error) { _ in
                            SearchPage(found, count, next: string(next), isCut: isCut != 0)
                        }
                    }, data)
                }
            }
        }
    }

    public func search(_ query: String, _ options: SearchOptions = SearchOptions()) async throws -> SearchPage {
        return try await withCheckedThrowingContinuation { next in
            do {
                try search(query, options) { next.resume(with: $0) }
            } catch {
                next.resume(throwing: error)
            }
        }
    }

    /// Fetches a file that an entry told to `path`; `done` is told the path. Returns what names the fetch.
    @discardableResult
    public func fetch(_ file: File, to path: String, progress: ((_ received: Int64, _ total: Int64) -> Void)? = nil,
                      then done: @escaping (Result<String, DeskbellError>) -> Void) throws -> Int64 {
        return try core.call { client in
            try Scratch.with { scratch in
                var what = try file.inC(scratch)
                let place = try scratch.text(path)
                var fetch: Int64 = 0
                try Waiting<String>(core, progress: progress, done).start { data in
                    deskbell_file_fetch(client, &what, place, { _, _, received, total, data in
                        let waiting = Waiting<String>.peek(data)
                        waiting.core.inside(.callback) { waiting.progress?(received, total) }
                    }, { _, _, error, path, data in
                        Waiting<String>.answer(data, error) { _ in string(path) }
                    }, data, &fetch)
                }
                return fetch
            }
        }
    }

    /// Ends a fetch: its closure runs with `cancelled`; the part stays.
    public func cancelFetch(_ fetch: Int64) throws {
        try core.check { deskbell_file_fetch_cancel($0, fetch) }
    }

    /// The same, waited for; a task that is cancelled ends the fetch.
    public func fetch(_ file: File, to path: String,
                      progress: ((_ received: Int64, _ total: Int64) -> Void)? = nil) async throws -> String {
        let ticket = Ticket()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { next in
                do {
                    let fetch = try self.fetch(file, to: path, progress: progress) { next.resume(with: $0) }
                    if ticket.isCancelledWhenNamed(fetch) { try? self.cancelFetch(fetch) }
                } catch {
                    next.resume(throwing: error)
                }
            }
        } onCancel: {
            if let fetch = ticket.cancel() { try? self.cancelFetch(fetch) }
        }
    }
}

/// A fetch that may be cancelled before it has its name.
private final class Ticket: @unchecked Sendable {
    private let lock = NSLock()
    private var fetch: Int64?
    private var isCancelled = false

    func isCancelledWhenNamed(_ name: Int64) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        fetch = name
        return isCancelled
    }

    func cancel() -> Int64? {
        lock.lock()
        defer { lock.unlock() }
        isCancelled = true
        return fetch
    }
}

extension File {
    /// What a fetch looks at: id, size and sum.
    func inC(_ scratch: Scratch) throws -> deskbell_file {
        var to = deskbell_file()
        to.id = try scratch.text(id)
        to.name = try scratch.text(name)
        to.media = try scratch.text(media)
        to.size = size
        to.width = try int(width)
        to.height = try int(height)
        withUnsafeMutableBytes(of: &to.sha256) { $0.copyBytes(from: sha256.prefix($0.count)) }
        return to
    }
}
