// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// Memory that C reads during one call: texts and arrays that the members of a C struct point to. It lives exactly as
// long as the closure of `Scratch.with`; the call has to be made in there, and nothing of it may leave.
import CDeskbell
import Foundation

final class Scratch {
    private var blocks: [UnsafeMutableRawPointer] = []

    private init() {}

    static func with<R>(_ body: (Scratch) throws -> R) rethrows -> R {
        let scratch = Scratch()
        defer { scratch.blocks.forEach { $0.deallocate() } }
        return try body(scratch)
    }

    /// The text, and a zero byte. A zero inside would hide the rest from C: it is refused.
    func text(_ text: String?, refusal: DeskbellError = .invalid) throws -> UnsafePointer<CChar>? {
        guard let text = text else { return nil }
        let whole = Array(try zeroFree(text, refusal).utf8) + [0]
        return UnsafeRawPointer(bytes(whole)).assumingMemoryBound(to: CChar.self)
    }

    /// A copy; never nil, also of nothing.
    func bytes(_ from: [UInt8]) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawPointer.allocate(byteCount: max(from.count, 1), alignment: 16)
        from.withUnsafeBytes { block.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(block), byteCount: $0.count) }
        blocks.append(block)
        return block
    }

    /// An array of C values, which must need no end of their own.
    func array<T>(_ of: [T]) -> UnsafePointer<T>? {
        if of.isEmpty { return nil }
        let block = UnsafeMutableRawPointer.allocate(byteCount: of.count * MemoryLayout<T>.stride,
                                                     alignment: max(MemoryLayout<T>.alignment, 16))
        let typed = block.bindMemory(to: T.self, capacity: of.count)
        typed.initialize(from: of, count: of.count)
        blocks.append(block)
        return UnsafePointer(typed)
    }

    func texts(_ of: [String]) throws -> UnsafePointer<UnsafePointer<CChar>?>? {
        return array(try of.map { try text($0) })
    }

    func values(_ of: [FormValue]) throws -> UnsafePointer<deskbell_form_value>? {
        return array(try of.map { each in
            var to = deskbell_form_value()
            to.id = try text(each.id)
            to.value = try text(each.value, refusal: .text)
            return to
        })
    }

    func said(_ of: [SurveySaid]) throws -> UnsafePointer<deskbell_survey_said>? {
        return array(try of.map { each in
            var to = deskbell_survey_said()
            to.question = try text(each.question)
            to.chosen = try texts(each.chosen)
            to.chosen_count = each.chosen.count
            to.number = try int(each.number)
            to.words = try text(each.words, refusal: .text)
            return to
        })
    }

    func rating(_ from: Rating) throws -> deskbell_rating {
        var to = deskbell_rating_init()
        to.score = try int(from.score)
        to.said = try text(from.said, refusal: .text)
        to.answers = try said(from.answers)
        to.answers_count = from.answers.count
        to.wants_contact = try int(from.wantsContact)
        to.cmid = try text(from.cmid)
        to.wait_for_disk = flag(from.waitForDisk)
        return to
    }

    /// What of a survey an answer is checked against.
    func survey(_ from: Survey) throws -> deskbell_survey {
        var to = deskbell_survey()
        to.style = try text(from.style)
        to.min = try int(from.min)
        to.max = try int(from.max)
        to.comment = try text(from.comment)
        to.contact = try text(from.contact)
        to.questions = array(try from.questions.map { each in
            var question = deskbell_survey_question()
            question.id = try text(each.id)
            question.kind = try text(each.kind)
            question.min = try int(each.min)
            question.max = try int(each.max)
            question.choices = array(try each.choices.map { one in
                var choice = deskbell_choice()
                choice.id = try text(one.id)
                choice.label = try text(one.label)
                return choice
            })
            question.choices_count = each.choices.count
            return question
        })
        to.questions_count = from.questions.count
        return to
    }

    func fields(_ of: [FormField]) throws -> UnsafePointer<deskbell_form_field>? {
        return array(try of.map { each in
            var to = deskbell_form_field()
            to.id = try text(each.id)
            to.label = try text(each.label)
            to.input = try text(each.input)
            to.required = flag(each.isRequired)
            return to
        })
    }
}

/// The text itself, when it holds no zero byte.
func zeroFree(_ text: String, _ refusal: DeskbellError = .invalid) throws -> String {
    if text.utf8.contains(0) { throw refusal }
    return text
}

func flag(_ on: Bool) -> Int32 {
    return on ? 1 : 0
}

/// A number as C's int takes it; what does not fit is refused.
func int(_ of: Int) throws -> Int32 {
    guard let small = Int32(exactly: of) else { throw DeskbellError.invalid }
    return small
}

extension FormField {
    /// The id of the first value that does not fit the form; nil: all do.
    public static func check(_ form: [FormField], _ values: [FormValue]) throws -> String? {
        return try Scratch.with { scratch in
            var wrong: UnsafePointer<CChar>?
            let returned = deskbell_form_check(try scratch.fields(form), form.count, try scratch.values(values),
                                               values.count, &wrong)
            if returned == number(DESKBELL_E_FORM) { return string(wrong) }
            try DeskbellError.check(returned)
            return nil
        }
    }
}

extension Survey {
    /// What does not fit first ("score", "said", "contact", the id of a question, "" when nothing is said); nil: all does.
    public func check(_ answer: Rating) throws -> String? {
        return try Scratch.with { scratch in
            var asked = try scratch.survey(self)
            var rating = try scratch.rating(answer)
            var wrong: UnsafePointer<CChar>?
            let returned = deskbell_survey_check(&asked, &rating, &wrong)
            if returned == number(DESKBELL_E_FORM) { return string(wrong) }
            try DeskbellError.check(returned)
            return nil
        }
    }
}

/// What the C library calls itself, "0.1.0"; what this package was written for is the header's.
public func libraryVersion() -> String {
    return string(deskbell_version())
}

public let headerVersion = (major: Int(DESKBELL_VERSION_MAJOR), minor: Int(DESKBELL_VERSION_MINOR),
                            patch: Int(DESKBELL_VERSION_PATCH))
