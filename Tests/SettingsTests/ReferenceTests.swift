/// Files that are generated from the declarations are committed, and must be current.

import Configuration
import Foundation
import Settings
import Testing

@Suite struct ReferenceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test func theSchemasAreCurrent() throws {
        #expect(
            try Self.text("docs/larder.schema.json") == Reference.configurationSchema.json,
            "larder check --schema larder > docs/larder.schema.json")
        #expect(
            try Self.text("docs/policy.schema.json") == Reference.policySchema.json,
            "larder check --schema policy > docs/policy.schema.json")
    }

    @Test(arguments: ["larder", "policy"])
    func theReferenceIsCurrent(_ name: String) throws {
        let document = try Self.text("docs/configuration.md")
        let start = try #require(document.range(of: "<!-- generated: larder check --reference \(name) -->\n"))
        let end = try #require(
            document.range(of: "<!-- end -->", range: start.upperBound..<document.endIndex))
        let tables = name == "larder" ? Reference.configurationTables : Reference.policyTables
        #expect(
            document[start.upperBound..<end.lowerBound] == tables,
            "put what 'larder check --reference \(name)' prints between the marks in docs/configuration.md")
    }

    @Test func theSchemaIsJSON() throws {
        for tree in [Reference.configurationSchema, Reference.policySchema] {
            let object = try JSONSerialization.jsonObject(with: Data(tree.json.utf8)) as? [String: Any]
            #expect(object?["type"] as? String == "object")
            #expect(object?["additionalProperties"] as? Bool == false)
        }
    }

    @Test func theExampleIsAccepted() throws {
        let loaded = try ConfigurationFile.load(
            path: "examples/larder.yaml", folder: Self.root.appending(path: "examples").path, files: .disk,
            everyPolicy: true)
        #expect(loaded.notes.isEmpty)
        #expect(loaded.settings.routes.map(\.name) == ["downloads", "assets", "pages", "app"])
        #expect(loaded.settings.upstreams.map(\.name) == ["assets", "app", "pages"])
    }
}
