/// A validator for the part of JSON Schema (draft 7) that Larder's schemas use. An unknown keyword is an
/// error.

import Foundation
import Testing

enum JSONValue: Decodable, Equatable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case map([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .map(try container.decode([String: JSONValue].self))
        }
    }

    static func parse(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }
}

struct JSONSchema {
    let root: JSONValue

    func accepts(_ value: JSONValue) throws -> Bool { try Self.accepts(value, root) }

    private static func accepts(_ value: JSONValue, _ schema: JSONValue) throws -> Bool {
        switch schema {
        case .flag(let flag): return flag
        case .map(let keywords):
            for (keyword, argument) in keywords {
                guard try accepts(value, keyword, argument, keywords) else { return false }
            }
            return true
        default: throw Fault(description: "no schema: \(schema)")
        }
    }

    struct Fault: Error, CustomStringConvertible { let description: String }

    private static func accepts(
        _ value: JSONValue, _ keyword: String, _ argument: JSONValue, _ all: [String: JSONValue]
    ) throws -> Bool {
        switch (keyword, argument) {
        case ("$schema", _), ("title", _), ("description", _), ("default", _), ("then", _): return true
        case ("type", .text(let name)): return isOf(value, type: name)
        case ("type", .list(let names)): return names.contains { isOf(value, type: $0.text) }
        case ("const", _): return value == argument
        case ("enum", .list(let values)): return values.contains(value)
        case ("anyOf", .list(let schemas)): return try schemas.contains { try accepts(value, $0) }
        case ("oneOf", .list(let schemas)): return try schemas.filter { try accepts(value, $0) }.count == 1
        case ("not", _): return try !accepts(value, argument)
        case ("if", _): return try !accepts(value, argument) || accepts(value, all["then"] ?? .flag(true))
        default: return try acceptsPart(value, keyword, argument, all)
        }
    }

    /// Keywords for one kind of value. A value of another kind passes.
    private static func acceptsPart(
        _ value: JSONValue, _ keyword: String, _ argument: JSONValue, _ all: [String: JSONValue]
    ) throws -> Bool {
        switch (keyword, argument, value) {
        case ("pattern", .text(let pattern), .text(let text)):
            let expression = try NSRegularExpression(pattern: pattern)
            return expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
        case ("minimum", .number(let bound), .number(let number)): return number >= bound
        case ("maximum", .number(let bound), .number(let number)): return number <= bound
        case ("items", _, .list(let items)): return try items.allSatisfy { try accepts($0, argument) }
        case ("minItems", .number(let bound), .list(let items)): return items.count >= Int(bound)
        case ("maxItems", .number(let bound), .list(let items)): return items.count <= Int(bound)
        case ("uniqueItems", .flag(true), .list(let items)):
            return items.indices.allSatisfy { !items[..<$0].contains(items[$0]) }
        case ("required", .list(let keys), .map(let map)): return keys.allSatisfy { map[$0.text] != nil }
        case ("minProperties", .number(let bound), .map(let map)): return map.count >= Int(bound)
        case ("properties", .map(let schemas), .map(let map)):
            return try schemas.allSatisfy { key, schema in
                try map[key].map { try accepts($0, schema) } ?? true
            }
        case ("additionalProperties", _, .map(let map)):
            guard case .map(let known) = all["properties"] ?? .map([:]) else { return false }
            return try map.allSatisfy { key, item in try known[key] != nil || accepts(item, argument) }
        case ("propertyNames", _, .map(let map)):
            return try map.keys.allSatisfy { try accepts(.text($0), argument) }
        case ("pattern", _, _), ("minimum", _, _), ("maximum", _, _), ("items", _, _), ("minItems", _, _),
            ("maxItems", _, _), ("uniqueItems", _, _), ("required", _, _), ("minProperties", _, _),
            ("properties", _, _), ("additionalProperties", _, _), ("propertyNames", _, _):
            return true
        default: throw Fault(description: "unknown keyword '\(keyword)'")
        }
    }

    private static func isOf(_ value: JSONValue, type: String) -> Bool {
        switch (type, value) {
        case ("string", .text), ("number", .number), ("boolean", .flag), ("array", .list), ("object", .map):
            true
        case ("integer", .number(let number)): number == number.rounded()
        default: false
        }
    }
}

extension JSONValue {
    fileprivate var text: String { if case .text(let text) = self { text } else { "" } }
}
