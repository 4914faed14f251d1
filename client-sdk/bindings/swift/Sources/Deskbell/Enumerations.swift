// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// The enumerations of deskbell.h, which describes each value. A newer library may tell a value that is not known here:
// it is `unknown` with that number, and never a trap.
import CDeskbell
import Foundation

/// An enumeration of the C library.
public protocol CEnumeration: Hashable, Sendable {
    /// All values known here, with the number of each.
    static var known: [(Self, Int32)] { get }
    static func unknown(_ value: Int32) -> Self
    /// The number in C.
    var value: Int32 { get }
}

extension CEnumeration {
    public init(_ value: Int32) {
        self = Self.known.first { $0.1 == value }?.0 ?? Self.unknown(value)
    }

    init<C: RawRepresentable>(_ from: C) where C.RawValue: BinaryInteger {
        self.init(number(from))
    }

    /// The C enumeration itself, for a call or a struct.
    func raw<C: RawRepresentable>() -> C where C.RawValue: FixedWidthInteger {
        // A C enumeration is a struct here and takes every number; its initialiser is failable in name only.
        return C(rawValue: C.RawValue(truncatingIfNeeded: value))!
    }
}

/// The number of a C constant. Its type in Swift is signed or not, as the platform likes.
func number<C: RawRepresentable>(_ of: C) -> Int32 where C.RawValue: BinaryInteger {
    return Int32(truncatingIfNeeded: of.rawValue)
}

/// What a call throws. A call that fails has changed nothing.
public enum DeskbellError: Error, CEnumeration {
    case invalid, nomem, locked, store, storeNewer, outboxFull, tooLong, text, notFound, exists, state,
         offline, refused, wrongThread, transport, cancelled, otherUser, damaged, unsent, form, key
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.invalid, number(DESKBELL_E_INVALID)),
        (.nomem, number(DESKBELL_E_NOMEM)),
        (.locked, number(DESKBELL_E_LOCKED)),
        (.store, number(DESKBELL_E_STORE)),
        (.storeNewer, number(DESKBELL_E_STORE_NEWER)),
        (.outboxFull, number(DESKBELL_E_OUTBOX_FULL)),
        (.tooLong, number(DESKBELL_E_TOO_LONG)),
        (.text, number(DESKBELL_E_TEXT)),
        (.notFound, number(DESKBELL_E_NOT_FOUND)),
        (.exists, number(DESKBELL_E_EXISTS)),
        (.state, number(DESKBELL_E_STATE)),
        (.offline, number(DESKBELL_E_OFFLINE)),
        (.refused, number(DESKBELL_E_REFUSED)),
        (.wrongThread, number(DESKBELL_E_WRONG_THREAD)),
        (.transport, number(DESKBELL_E_TRANSPORT)),
        (.cancelled, number(DESKBELL_E_CANCELLED)),
        (.otherUser, number(DESKBELL_E_OTHER_USER)),
        (.damaged, number(DESKBELL_E_DAMAGED)),
        (.unsent, number(DESKBELL_E_UNSENT)),
        (.form, number(DESKBELL_E_FORM)),
        (.key, number(DESKBELL_E_KEY)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

extension DeskbellError: LocalizedError, CustomStringConvertible {
    public var description: String { return String(cString: deskbell_error_text(value)) }
    public var errorDescription: String? { return description }

    /// Throws what a C function returned, when it is an error; hands on the rest.
    @discardableResult static func check(_ returned: Int32) throws -> Int32 {
        if returned < number(DESKBELL_OK) { throw DeskbellError(returned) }
        return returned
    }
}

public enum Connection: CEnumeration {
    case disconnected, connecting, online, waiting, delayed, needsToken, stopped, paused
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.disconnected, number(DESKBELL_DISCONNECTED)),
        (.connecting, number(DESKBELL_CONNECTING)),
        (.online, number(DESKBELL_ONLINE)),
        (.waiting, number(DESKBELL_WAITING)),
        (.delayed, number(DESKBELL_DELAYED)),
        (.needsToken, number(DESKBELL_NEEDS_TOKEN)),
        (.stopped, number(DESKBELL_STOPPED)),
        (.paused, number(DESKBELL_PAUSED)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

public enum EntryLog: CEnumeration {
    case `public`, team
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.`public`, number(DESKBELL_PUBLIC)),
        (.team, number(DESKBELL_TEAM)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

/// What an entry is. Show an unknown one by its text.
public enum Kind: CEnumeration {
    case other, text, attachment, choices, card, form, article, survey, rating, edit, erase, erased, revision, surveyEnd
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.other, number(DESKBELL_KIND_OTHER)),
        (.text, number(DESKBELL_KIND_TEXT)),
        (.attachment, number(DESKBELL_KIND_ATTACHMENT)),
        (.choices, number(DESKBELL_KIND_CHOICES)),
        (.card, number(DESKBELL_KIND_CARD)),
        (.form, number(DESKBELL_KIND_FORM)),
        (.article, number(DESKBELL_KIND_ARTICLE)),
        (.survey, number(DESKBELL_KIND_SURVEY)),
        (.rating, number(DESKBELL_KIND_RATING)),
        (.edit, number(DESKBELL_KIND_EDIT)),
        (.erase, number(DESKBELL_KIND_ERASE)),
        (.erased, number(DESKBELL_KIND_ERASED)),
        (.revision, number(DESKBELL_KIND_REVISION)),
        (.surveyEnd, number(DESKBELL_KIND_SURVEY_END)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

public enum SurveyState: CEnumeration {
    case other, waiting, answered, expired, withdrawn
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.other, number(DESKBELL_SURVEY_OTHER)),
        (.waiting, number(DESKBELL_SURVEY_WAITING)),
        (.answered, number(DESKBELL_SURVEY_ANSWERED)),
        (.expired, number(DESKBELL_SURVEY_EXPIRED)),
        (.withdrawn, number(DESKBELL_SURVEY_WITHDRAWN)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

public enum Origin: CEnumeration {
    case snapshot, following
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.snapshot, number(DESKBELL_SNAPSHOT)),
        (.following, number(DESKBELL_FOLLOWING)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

public enum MessageState: CEnumeration {
    case queued, sent, delivered, read, failed, expired, uploading
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.queued, number(DESKBELL_QUEUED)),
        (.sent, number(DESKBELL_SENT)),
        (.delivered, number(DESKBELL_DELIVERED)),
        (.read, number(DESKBELL_READ)),
        (.failed, number(DESKBELL_FAILED)),
        (.expired, number(DESKBELL_EXPIRED)),
        (.uploading, number(DESKBELL_UPLOADING)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

public enum MessageOperation: CEnumeration {
    case send, edit, erase
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.send, number(DESKBELL_OP_SEND)),
        (.edit, number(DESKBELL_OP_EDIT)),
        (.erase, number(DESKBELL_OP_ERASE)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

public enum PresenceOf: CEnumeration {
    case team, customer
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.team, number(DESKBELL_PRESENCE_TEAM)),
        (.customer, number(DESKBELL_PRESENCE_CUSTOMER)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

public enum Availability: CEnumeration {
    case away, here
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.away, number(DESKBELL_AWAY)),
        (.here, number(DESKBELL_HERE)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

public enum NoticeKind: CEnumeration {
    case reset, storeSetAside, storeFailing, conversationRefused, conversationErased, claimRefused,
         outboxRescued
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.reset, number(DESKBELL_NOTICE_RESET)),
        (.storeSetAside, number(DESKBELL_NOTICE_STORE_SET_ASIDE)),
        (.storeFailing, number(DESKBELL_NOTICE_STORE_FAILING)),
        (.conversationRefused, number(DESKBELL_NOTICE_CONVERSATION_REFUSED)),
        (.conversationErased, number(DESKBELL_NOTICE_CONVERSATION_ERASED)),
        (.claimRefused, number(DESKBELL_NOTICE_CLAIM_REFUSED)),
        (.outboxRescued, number(DESKBELL_NOTICE_OUTBOX_RESCUED)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

public enum LogLevel: CEnumeration {
    case error, warn, info, debug
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.error, number(DESKBELL_LOG_ERROR)),
        (.warn, number(DESKBELL_LOG_WARN)),
        (.info, number(DESKBELL_LOG_INFO)),
        (.debug, number(DESKBELL_LOG_DEBUG)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}

public enum PushService: CEnumeration {
    case fcm, apns, wns, hms, webpush, custom
    case unknown(Int32)

    public static let known: [(Self, Int32)] = [
        (.fcm, number(DESKBELL_PUSH_FCM)),
        (.apns, number(DESKBELL_PUSH_APNS)),
        (.wns, number(DESKBELL_PUSH_WNS)),
        (.hms, number(DESKBELL_PUSH_HMS)),
        (.webpush, number(DESKBELL_PUSH_WEBPUSH)),
        (.custom, number(DESKBELL_PUSH_CUSTOM)),
    ]

    public var value: Int32 {
        if case .unknown(let value) = self { return value }
        return Self.known.first { $0.0 == self }!.1
    }
}
