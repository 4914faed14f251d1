// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// Copies of what C gives, which lives for a callback, into values that own what they hold.
import CDeskbell

func string(_ from: UnsafePointer<CChar>?) -> String {
    guard let from = from else { return "" }
    return String(cString: from)
}

/// The bytes of an array of C, which is a tuple here.
private func copyBytes<T>(_ tuple: T) -> [UInt8] {
    return withUnsafeBytes(of: tuple) { Array($0) }
}

private func list<C, T>(_ from: UnsafePointer<C>?, _ count: Int, _ copy: (C) -> T) -> [T] {
    guard let from = from else { return [] }
    return UnsafeBufferPointer(start: from, count: count).map(copy)
}

extension Core {
    func name(_ conversation: OpaquePointer?) -> Conversation? {
        return conversation.map { Conversation(self, $0) }
    }
}

extension ClientState {
    init(_ from: deskbell_state) {
        self.init(connection: Connection(from.connection), retryInMs: from.retry_in_ms, why: string(from.why),
                  isCaughtUp: from.caught_up != 0, principal: string(from.principal), name: string(from.name),
                  epoch: string(from.epoch))
    }
}

extension File {
    init(_ from: deskbell_file) {
        self.init(id: string(from.id), name: string(from.name), media: string(from.media), size: from.size,
                  width: Int(from.width), height: Int(from.height), sha256: copyBytes(from.sha256))
    }
}

private func copyFiles(_ from: UnsafePointer<deskbell_file>?, _ count: Int) -> [File] {
    return list(from, count) { File($0) }
}

private func copyChoices(_ from: deskbell_entry) -> [Choice] {
    return list(from.choices, from.choices_count) { Choice(id: string($0.id), label: string($0.label)) }
}

private func copyForm(_ from: deskbell_entry) -> [FormField] {
    return list(from.form, from.form_count) {
        FormField(id: string($0.id), label: string($0.label), input: string($0.input), isRequired: $0.required != 0)
    }
}

private func copyFilled(_ from: deskbell_entry) -> [FormValue] {
    return list(from.filled, from.filled_count) { FormValue(id: string($0.id), value: string($0.value)) }
}

extension SurveyQuestion {
    init(_ from: deskbell_survey_question) {
        self.init(id: string(from.id), kind: string(from.kind), text: string(from.text),
                  choices: list(from.choices, from.choices_count) { Choice(id: string($0.id), label: string($0.label)) },
                  min: Int(from.min), max: Int(from.max), low: string(from.low), high: string(from.high),
                  isRequired: from.required != 0, fromScore: Int(from.from_score), toScore: Int(from.to_score))
    }
}

extension SurveySaid {
    init(_ from: deskbell_survey_said) {
        self.init(question: string(from.question), chosen: list(from.chosen, from.chosen_count) { string($0) },
                  number: Int(from.number), words: string(from.words))
    }
}

extension Survey {
    init(_ from: deskbell_survey) {
        self.init(offer: string(from.offer), survey: string(from.survey), version: from.version,
                  metric: string(from.metric), style: string(from.style), min: Int(from.min), max: Int(from.max),
                  low: string(from.low), high: string(from.high),
                  questions: list(from.questions, from.questions_count) { SurveyQuestion($0) },
                  comment: string(from.comment), contact: string(from.contact), thanks: string(from.thanks),
                  colour: string(from.colour), brand: string(from.brand), state: SurveyState(from.state),
                  untilMs: from.until_ms, score: Int(from.score), said: string(from.said),
                  answers: list(from.answers, from.answers_count) { SurveySaid($0) },
                  wantsContact: Int(from.wants_contact), isLocked: from.is_locked != 0)
    }
}

extension Entry {
    init(_ core: Core, _ from: deskbell_entry) {
        self.init(conversation: core.name(from.conversation)!, origin: Origin(from.origin), log: EntryLog(from.log),
                  number: from.number, atSeq: from.at_seq, epoch: string(from.epoch), tsMs: from.ts_ms,
                  author: string(from.author), name: string(from.name), isMine: from.is_mine != 0,
                  cmid: string(from.cmid), kind: Kind(from.kind), version: from.version, of: from.of,
                  replyTo: from.reply_to, text: string(from.text), choices: copyChoices(from),
                  form: copyForm(from), title: string(from.title), link: string(from.link),
                  pressedSeq: from.pressed_seq, pressedId: string(from.pressed_id), hash: copyBytes(from.hash),
                  files: copyFiles(from.files, from.files_count), filledSeq: from.filled_seq,
                  filled: copyFilled(from), survey: from.survey.map { Survey($0.pointee) })
    }
}

extension Message {
    init(_ core: Core, _ from: deskbell_message) {
        self.init(conversation: core.name(from.conversation)!, cmid: string(from.cmid),
                  operation: MessageOperation(from.operation), state: MessageState(from.state),
                  isAgain: from.is_again != 0, log: EntryLog(from.log), number: from.number, atSeq: from.at_seq,
                  tsMs: from.ts_ms, epoch: string(from.epoch), isDuplicate: from.is_duplicate != 0,
                  tag: string(from.tag), text: string(from.text), of: from.of, hash: copyBytes(from.hash),
                  files: copyFiles(from.files, from.files_count), isPaused: from.is_paused != 0,
                  pressedSeq: from.pressed_seq, filledSeq: from.filled_seq, ratedSeq: from.rated_seq)
    }
}

extension UploadProgress {
    init(_ core: Core, _ from: deskbell_progress) {
        self.init(conversation: core.name(from.conversation)!, cmid: string(from.cmid), file: from.file,
                  files: from.files, sent: from.sent, total: from.total)
    }
}

extension Presence {
    init(_ core: Core, _ from: deskbell_presence) {
        self.init(of: PresenceOf(from.of), isHere: from.is_here != 0, conversation: core.name(from.conversation),
                  customer: string(from.customer), lastSeenMs: from.last_seen_ms)
    }
}

extension DeviceAnswer {
    init(_ core: Core, _ from: deskbell_device_answer) {
        self.init(conversation: core.name(from.conversation)!, cmid: string(from.cmid), text: string(from.text),
                  rule: string(from.rule), version: string(from.version), tsMs: from.ts_ms,
                  isAgain: from.is_again != 0, isTakenBack: from.is_taken_back != 0)
    }
}

extension Marks {
    init(_ from: deskbell_marks) {
        self.init(customerRecv: from.customer_recv, customerRead: from.customer_read, staffRecv: from.staff_recv,
                  staffRead: from.staff_read)
    }
}

extension ConversationInfo {
    init(_ core: Core, _ from: deskbell_conversation_info) {
        self.init(conversation: core.name(from.conversation)!, id: string(from.id), key: string(from.key),
                  customer: string(from.customer), customerName: string(from.customer_name),
                  hasLeft: from.has_left != 0, head: from.head, ihead: from.ihead, rev: from.rev,
                  marks: Marks(from.marks), unread: from.unread, unanswered: from.unanswered,
                  waitingSinceMs: from.waiting_since_ms, lastTsMs: from.last_ts_ms,
                  lastAuthor: string(from.last_author), lastPreview: string(from.last_preview))
    }
}

extension HistoryPage {
    init(_ core: Core, _ from: UnsafePointer<deskbell_entry>?, _ count: Int, head: Int64, more: Bool) {
        self.init(entries: list(from, count) { Entry(core, $0) }, head: head, more: more)
    }
}

extension Found {
    init(_ from: deskbell_found) {
        self.init(conversation: string(from.conversation), customer: string(from.customer), log: EntryLog(from.log),
                  number: from.number, tsMs: from.ts_ms, author: string(from.author), kind: string(from.kind),
                  before: string(from.before), hit: string(from.hit), after: string(from.after))
    }
}

extension SearchPage {
    init(_ from: UnsafePointer<deskbell_found>?, _ count: Int, next: String, isCut: Bool) {
        self.init(found: list(from, count) { Found($0) }, next: next, isCut: isCut)
    }
}

extension Status {
    init(_ from: deskbell_status) {
        self.init(queued: from.queued, queuedBytes: from.queued_bytes, failed: from.failed, unread: from.unread,
                  isOnline: from.is_online != 0, isCaughtUp: from.is_caught_up != 0,
                  callbacksWaiting: Int(from.callbacks_waiting))
    }
}

extension HttpRequest {
    init(_ from: deskbell_http_request) {
        var texts: [String] = []
        for at in 0..<from.headers_count { texts.append(string(from.headers[at])) }
        let body = from.body.map { Array(UnsafeRawBufferPointer(start: $0, count: from.body_len)) } ?? []
        self.init(method: string(from.method), url: string(from.url), headers: texts, body: body,
                  maxAnswerBytes: from.max_answer_bytes)
    }
}
