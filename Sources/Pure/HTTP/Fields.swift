/// Heads as offsets into the buffer they were parsed from: nothing is copied, nothing is allocated.
///
/// A head is at most 65 535 bytes (`HeadLimits`), so that offsets fit 16 bits.

import Bytes
internal import Synchronization

/// A run of bytes of a head, relative to the head's first byte.
public struct Slice: BitwiseCopyable, Sendable, Equatable {
    public var start: UInt16
    public var count: UInt16

    @inlinable
    public init(start: Int, count: Int) {
        self.start = UInt16(start)
        self.count = UInt16(count)
    }

    /// A run that a parser found inside a head, whose offsets are known to fit.
    @inline(__always)
    init(parsed start: Int, count: Int) {
        self.start = UInt16(truncatingIfNeeded: start)
        self.count = UInt16(truncatingIfNeeded: count)
    }

    @inlinable
    public init(_ range: Range<Int>) { self.init(start: range.lowerBound, count: range.count) }

    @inlinable public static var empty: Slice { Slice(start: 0, count: 0) }
    @inlinable public var isEmpty: Bool { count == 0 }
    @inlinable public var range: Range<Int> { Int(start)..<(Int(start) &+ Int(count)) }
}

extension Span<UInt8> {
    /// The bytes that `slice` names; `self` is the buffer that begins with the head.
    @_lifetime(copy self)
    @inlinable
    public func slice(_ slice: Slice) -> Span<UInt8> { extracting(slice.range) }
}

/// One field line.
public struct Field: BitwiseCopyable, Sendable {
    public var name: Slice
    /// Without the white space around it.
    public var value: Slice
    /// The well-known name, found while parsing; `.other` for the rest.
    public var id: FieldName

    @inlinable
    public init(name: Slice, value: Slice, id: FieldName) {
        self.name = name
        self.value = value
        self.id = id
    }

    @inlinable
    public static var none: Field { Field(name: .empty, value: .empty, id: .other) }
}

/// The field lines of one head in their order, with a bit per well-known name so that "is there any" is one
/// test.
public struct FieldTable: ~Copyable {
    /// The most lines a head may have; `limits.requestHeaders` may only lower it.
    public static var capacity: Int { 128 }

    // Row n holds line n, and beside it the number of the first line whose name is number n: a name is looked
    // up without a search, and nothing is cleared, for `present` tells which names are there.
    //
    // `spelling` is the name that the line's `id` was found for, byte for byte. Most heads have the names of
    // the one before, in the same places: these need no second look, and what is known of them stays.
    @usableFromInline
    struct Row: BitwiseCopyable, Sendable {
        @usableFromInline var spelling: Spelling
        @usableFromInline var field: Field
        @usableFromInline var firstLine: UInt8

        static var none: Row { Row(spelling: Spelling(), field: .none, firstLine: 0) }
    }

    // An array, allocated once for the life of a head: reading one element of an InlineArray that is borrowed
    // makes Swift 6.3 copy all 128.
    @usableFromInline var storage: [Row]
    @usableFromInline var present = FieldSet()
    @usableFromInline var repeated = FieldSet()
    @inlinable public var count: Int { total }
    @usableFromInline var total: Int
    /// Is each line `name: value` and CRLF, without a blank more?
    public internal(set) var isPlain = true
    /// Where the first line begins, and where the blank line does behind the last.
    @usableFromInline var start = 0
    @usableFromInline var end = 0
    // Of a struct with an atomic in it the compiler lends the address; Swift 6.3 would else copy the table,
    // and with it all 120 bytes of its head, for every call that borrows one.
    private let anchor = Atomic<Bool>(false)

    /// Names of an answer are never claims.
    private let isOfRequest: Bool
    /// A trusted proxy sent this head: what is claimed in it is believed. To be said for each head.
    public var areClaimsBelieved = false

    public init(ofRequest isOfRequest: Bool = false) {
        self.isOfRequest = isOfRequest
        storage = Array(repeating: .none, count: Self.capacity)
        total = 0
    }

    /// Does the request count as having this line? Not a claim that is not believed, and no twin.
    @inlinable
    public func isHeard(_ index: Int) -> Bool {
        let id = id(of: index)
        return id != .twin && (areClaimsBelieved || !FieldSet.claims.contains(id))
    }

    /// Is this a line of `name`, spelt in any way that a server may take for it, and is it heard?
    public func isHeard(_ index: Int, as name: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
        let own = bytes.slice(self[index].name)
        return own.count == name.count && isHeard(index)
            && (own.equalsIgnoringCase(name) || FieldName.areTwins(own, name))
    }

    @inlinable
    public subscript(_ index: Int) -> Field {
        precondition(index < count)
        return storage[index].field
    }

    /// The name of one line, without a look at the rest of it.
    @inlinable @inline(__always)
    public func id(of index: Int) -> FieldName {
        precondition(index < count)
        return storage[index].field.id
    }

    /// Is there at least one line of this well-known name?
    @inlinable @inline(__always)
    public func contains(_ id: FieldName) -> Bool { present.contains(id) }

    /// Are there two lines or more of this name? (Of `.other`: of any names that no rule knows.)
    @inlinable @inline(__always)
    public func isRepeated(_ id: FieldName) -> Bool { repeated.contains(id) }

    /// The first line of this name.
    @inlinable @inline(__always)
    public func first(_ id: FieldName) -> Field? {
        contains(id) ? storage[firstLine(id)].field : nil
    }

    /// All lines, each with its CRLF.
    @inlinable @inline(__always)
    public var lines: Range<Int> { start..<end }

    /// A line with its CRLF, whatever stands around the value.
    @inlinable @inline(__always)
    public func line(_ index: Int) -> Range<Int> {
        precondition(index < count)
        let next = index &+ 1 < count ? Int(storage[index &+ 1].field.name.start) : end
        return Int(storage[index].field.name.start)..<next
    }

    /// How many lines of this name there are.
    @inlinable
    public func count(of id: FieldName) -> Int {
        var total = 0
        for index in range(of: id) where storage[index].field.id == id { total &+= 1 }
        return total
    }

    /// Where lines of this name are: from the first to the end of the table if there are more, empty if there
    /// is none.
    @inlinable @inline(__always)
    public func range(of id: FieldName) -> Range<Int> {
        guard contains(id) else { return 0..<0 }
        let first = firstLine(id)
        return first..<(isRepeated(id) ? count : first &+ 1)
    }

    /// The number of the first line of a name that is there.
    @inlinable @inline(__always)
    func firstLine(_ id: FieldName) -> Int { Int(storage[Int(id.rawValue)].firstLine) }

    /// Finds out which names the first `count` rows have, whose lines came without, and notes which names are
    /// there, and which more than once. A function of its own: together with the loop that finds the lines it
    /// would want for registers.
    /// - Parameter hasOddNames: is one of the names oddly spelt, of those that were not known again?
    @inline(never)
    mutating func identifyNames(count: Int, _ bytes: Span<UInt8>, hasOddNames: Bool) {
        var (present, repeated) = (FieldSet(), FieldSet())
        let mayClaim = isOfRequest
        var rows = storage.mutableSpan
        // From the last line to the first, so that of several lines the first has the last word.
        var line = count
        while line > 0 {
            line &-= 1
            let name = rows[line].field.name.range
            var id = FieldName.identify(bytes, from: name.lowerBound, count: name.count)
            rows[line].spelling = Spelling(bytes, from: name.lowerBound, count: name.count)
            if mayClaim, id == .other {
                let spelt = bytes.extracting(name)
                id = FieldName.unknown(spelt, mayBeOdd: hasOddNames)
                // To be parsed, and found out, each time.
                if hasOddNames, FieldName.isOdd(spelt) { rows[line].spelling = Spelling() }
            }
            rows[line].field.id = id
            rows[Int(id.rawValue)].firstLine = UInt8(truncatingIfNeeded: line)
            present.insert(id, repeated: &repeated)
        }
        (total, self.present, self.repeated) = (count, present, repeated)
    }
}
