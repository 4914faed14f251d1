// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// A WebSocket of the application's own, over URLSessionWebSocketTask for example. Its functions run on threads of the
// library, must not wait for the network, and may not call the client.
import CDeskbell

public protocol Transport: AnyObject {
    /// Makes a connection. After true it owes `link` exactly one `closed` or `failed`; false: failed at once.
    func open(url: String, subprotocol: String, maxMessageBytes: Int, link: Link) -> Bool
    /// One text message. Only between opened and closed.
    func send(_ link: Link, _ bytes: [UInt8])
    /// `closed` is still owed, within 5 s.
    func close(_ link: Link, code: Int)
    /// Go on reading after `link.text` returned true.
    func resume(_ link: Link)
    /// The last call: ends all threads.
    func stop()
    /// Whether `http` is there; without it files can neither be sent nor fetched. Asked once, at the opening.
    var hasHttp: Bool { get }
    /// Makes one request. After true it owes `exchange` exactly one `done`; false: failed at once. No redirects, no
    /// cookies.
    func http(_ request: HttpRequest, _ exchange: Exchange) -> Bool
    /// Nobody waits for this answer any more; `done` is still owed, soon.
    func cancelHttp(_ exchange: Exchange)
}

extension Transport {
    public var hasHttp: Bool { return false }
    public func http(_ request: HttpRequest, _ exchange: Exchange) -> Bool { return false }
    public func cancelHttp(_ exchange: Exchange) {}
}

/// One WebSocket, as a transport tells of it; on any thread, but not after the end of it was told.
public struct Link: Hashable, @unchecked Sendable {
    let raw: OpaquePointer

    /// `send` may be called from now on.
    public func opened() {
        deskbell_link_opened(raw)
    }

    /// One whole text message. True: stop reading until `resume`; this message was taken all the same.
    public func text(_ bytes: [UInt8]) -> Bool {
        return bytes.withUnsafeBytes {
            deskbell_link_text(raw, $0.bindMemory(to: CChar.self).baseAddress, $0.count) != 0
        }
    }

    /// Gone. `code`: the close code received, 1006 when none came.
    public func closed(code: Int) {
        deskbell_link_closed(raw, Int32(truncatingIfNeeded: code))
    }

    /// Instead of `closed`, with a reason: "network", "tls", "tls_pin", "proxy", "proxy_auth" or "handshake". `detail`
    /// goes to the log and must hold no secrets.
    public func failed(_ why: String, detail: String? = nil, retryAfterMs: Int64 = -1) {
        guard let detail = detail else {
            deskbell_link_failed(raw, why, nil, retryAfterMs)
            return
        }
        deskbell_link_failed(raw, why, detail, retryAfterMs)
    }
}

public struct HttpRequest: Hashable, Sendable {
    /// "PUT" or "GET".
    public let method: String
    public let url: String
    /// "Name: value".
    public let headers: [String]
    public let body: [UInt8]
    /// A longer body of the answer is a failure.
    public let maxAnswerBytes: Int
}

/// One request under way.
public struct Exchange: Hashable, @unchecked Sendable {
    let raw: OpaquePointer

    /// The answer; status 0: there was none. A header or answer that cannot be handed on counts as none.
    public func done(status: Int, headers: [String] = [], body: [UInt8] = []) {
        Scratch.with { scratch in
            var to = deskbell_http_answer()
            to.size = MemoryLayout<deskbell_http_answer>.stride
            do {
                to.headers = try scratch.texts(headers)
                to.headers_count = headers.count
                to.status = try int(status)
            } catch {
                to.headers = nil
                to.headers_count = 0
            }
            to.body = UnsafeRawPointer(scratch.bytes(body))
            to.body_len = body.count
            deskbell_http_done(raw, &to)
        }
    }
}

/// Runs a function of the application's transport; the C library may hold a lock.
private func run<R>(_ data: UnsafeMutableRawPointer?, _ otherwise: R, _ act: (Transport) -> R) -> R {
    let to = core(data)
    guard let own = to.transport else { return otherwise }
    return to.inside(.locked) { act(own) }
}

extension deskbell_transport {
    /// C's table for the transport of the core that is `data`.
    init(of own: Transport, data: UnsafeMutableRawPointer?) {
        self.init()
        size = MemoryLayout<deskbell_transport>.stride
        self.data = data
        open = { data, url, subprotocol, most, link in
            let isOpen = run(data, false) {
                $0.open(url: string(url), subprotocol: string(subprotocol), maxMessageBytes: most,
                        link: Link(raw: link!))
            }
            return isOpen ? 0 : -1
        }
        send = { data, link, bytes, count in
            let all = Array(UnsafeRawBufferPointer(start: bytes, count: count))
            run(data, ()) { $0.send(Link(raw: link!), all) }
        }
        close = { data, link, code in run(data, ()) { $0.close(Link(raw: link!), code: Int(code)) } }
        resume = { data, link in run(data, ()) { $0.resume(Link(raw: link!)) } }
        stop = { data in run(data, ()) { $0.stop() } }
        if own.hasHttp { setHttp() }
    }

    private mutating func setHttp() {
        http = { data, request, exchange in
            let isAsked = run(data, false) { $0.http(HttpRequest(request!.pointee), Exchange(raw: exchange!)) }
            return isAsked ? 0 : -1
        }
        http_cancel = { data, exchange in run(data, ()) { $0.cancelHttp(Exchange(raw: exchange!)) } }
    }
}
