/// Heads as offsets into the buffer they were parsed from. Nothing is copied or allocated.
///
/// A head is at most 65 535 bytes (`HeadLimits`), so offsets fit 16 bits.

import Bytes

/// A run of bytes of a head, relative to the first byte of the head.
public struct Slice: BitwiseCopyable, Sendable, Equatable {
    public var start: UInt16
    public var count: UInt16

    @inlinable
    public init(start: Int, count: Int) {
        self.start = UInt16(start)
        self.count = UInt16(count)
    }

    /// A run that a parser found inside a head. Its offsets are known to fit.
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
    /// The bytes of `slice`. `self` is the buffer that begins with the head.
    @_lifetime(copy self)
    @inlinable
    public func slice(_ slice: Slice) -> Span<UInt8> { extracting(slice.range) }
}

/// One field line.
public struct Field: BitwiseCopyable, Sendable {
    public var name: Slice
    /// Without surrounding white space.
    public var value: Slice
    /// The well-known name, found by the parser; `.other` if the name is not well known.
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

/// The field lines of one head in their order. One bit for each well-known name tells whether the head has
/// it.
public struct FieldTable: ~Copyable {
    /// Maximum number of lines of a head. `limits.requestHeaders` can only lower it.
    public static var capacity: Int { 128 }

    // Row n holds line n. Row n also holds the number of the first line whose name has raw value n, so a name
    // is found without a search. `present` tells which of these numbers are valid, so they need no clearing.
    //
    // `spelling` holds the bytes of the name that `id` was found for. Most heads have the same names in the
    // same places as the head before, so their `id`s stay valid and are not looked up again.
    @usableFromInline
    struct Row: BitwiseCopyable, Sendable {
        @usableFromInline var spelling: Spelling
        @usableFromInline var field: Field
        @usableFromInline var firstLine: UInt8

        static var none: Row { Row(spelling: Spelling(), field: .none, firstLine: 0) }
    }

    // An array, allocated once for the life of a head. An InlineArray is not used because Swift 6.3 copies
    // all 128 elements to read one element of a borrowed InlineArray.
    @usableFromInline var storage: [Row]
    @usableFromInline var present = FieldSet()
    @usableFromInline var repeated = FieldSet()
    @inlinable public var count: Int { total }
    @usableFromInline var total: Int
    /// Has every line the form `name: value` CRLF, without further blanks?
    public internal(set) var isPlain = true
    /// The offset of the first line, and of the blank line behind the last line.
    @usableFromInline var start = 0
    @usableFromInline var end = 0
    private let lentInPlace = LentInPlace()

    /// Is this the head of a request? Only names in a request can be claims.
    private let isOfRequest: Bool
    /// Did a trusted proxy send this head? Then its claims count. Set it for each head.
    public var trustsClaims = false

    public init(ofRequest isOfRequest: Bool = false) {
        self.isOfRequest = isOfRequest
        storage = Array(repeating: .none, count: Self.capacity)
        total = 0
    }

    /// Does this line count? A claim of an untrusted client does not, nor does a name in an odd spelling.
    @inlinable
    public func isEffective(_ index: Int) -> Bool {
        let id = id(of: index)
        return id != .oddSpelling && (trustsClaims || !FieldSet.claims.contains(id))
    }

    /// Does this line count, and is its name `name`, in any spelling that a server may take for the same?
    public func isEffective(_ index: Int, as name: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
        let own = bytes.slice(self[index].name)
        return own.count == name.count && isEffective(index)
            && (own.equalsIgnoringCase(name) || FieldName.areSameCGIVariable(own, name))
    }

    @inlinable
    public subscript(_ index: Int) -> Field {
        precondition(index < count)
        return storage[index].field
    }

    /// The name of one line, read without the rest of the row.
    @inlinable @inline(__always)
    public func id(of index: Int) -> FieldName {
        precondition(index < count)
        return storage[index].field.id
    }

    /// Is there at least one line of this well-known name?
    @inlinable @inline(__always)
    public func contains(_ id: FieldName) -> Bool { present.contains(id) }

    /// Are there two or more lines of this name? (For `.other`: of any names that are not well known.)
    @inlinable @inline(__always)
    public func isRepeated(_ id: FieldName) -> Bool { repeated.contains(id) }

    /// The first line of this name.
    @inlinable @inline(__always)
    public func first(_ id: FieldName) -> Field? {
        contains(id) ? storage[firstLine(id)].field : nil
    }

    /// The range of all lines, each with its CRLF.
    @inlinable @inline(__always)
    public var lines: Range<Int> { start..<end }

    /// The range of a line with its CRLF, including white space around the value.
    @inlinable @inline(__always)
    public func line(_ index: Int) -> Range<Int> {
        precondition(index < count)
        let next = index &+ 1 < count ? Int(storage[index &+ 1].field.name.start) : end
        return Int(storage[index].field.name.start)..<next
    }

    /// The number of lines of this name.
    @inlinable
    public func count(of id: FieldName) -> Int {
        var total = 0
        for index in range(of: id) where storage[index].field.id == id { total &+= 1 }
        return total
    }

    /// The range to search for lines of this name: empty if there is none, one line if there is one,
    /// otherwise from the first such line to the end of the table.
    @inlinable @inline(__always)
    public func range(of id: FieldName) -> Range<Int> {
        guard contains(id) else { return 0..<0 }
        let first = firstLine(id)
        return first..<(isRepeated(id) ? count : first &+ 1)
    }

    /// The index of the first line of a name that is present.
    @inlinable @inline(__always)
    func firstLine(_ id: FieldName) -> Int { Int(storage[Int(id.rawValue)].firstLine) }

    /// Identifies the names of the first `count` rows, and records which names are present and which are
    /// repeated. It is a function of its own, because inside the loop that finds the lines it would need too
    /// many registers.
    /// - Parameter hasOddNames: does any name that was not recognised by its spelling contain an odd byte?
    @inline(never)
    mutating func identifyNames(count: Int, _ bytes: Span<UInt8>, hasOddNames: Bool) {
        var (present, repeated) = (FieldSet(), FieldSet())
        let mayClaim = isOfRequest
        var rows = storage.mutableSpan
        // From the last line to the first, so that `firstLine` ends up as the first line of a name.
        var line = count
        while line > 0 {
            line &-= 1
            let name = rows[line].field.name.range
            var id = FieldName.identify(bytes, from: name.lowerBound, count: name.count)
            rows[line].spelling = Spelling(bytes, from: name.lowerBound, count: name.count)
            if mayClaim, id == .other {
                let spelt = bytes.extracting(name)
                id = FieldName.unknown(spelt, mayBeOdd: hasOddNames)
                // Forget the spelling of an odd name, so that `parse` sees its odd bytes again next time.
                if hasOddNames, FieldName.isOdd(spelt) { rows[line].spelling = Spelling() }
            }
            rows[line].field.id = id
            rows[Int(id.rawValue)].firstLine = UInt8(truncatingIfNeeded: line)
            present.insert(id, repeated: &repeated)
        }
        (total, self.present, self.repeated) = (count, present, repeated)
    }
}
