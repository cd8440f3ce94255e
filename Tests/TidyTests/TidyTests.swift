/// Holds the repository to its own style (ARCHITECTURE.md): each finding names file and line.

import Testing

@Suite struct TidyTests {
    @Test(arguments: Rule.all)
    func theRepositoryKeeps(_ rule: Rule) {
        for finding in Repository.files.flatMap(rule.check).prefix(100) {
            Issue.record(Comment(rawValue: finding.description))
        }
    }

    @Test func theDocumentsAreInPlainEnglish() {
        #expect(Repository.documents.count > 5)
        for finding in Repository.documents.flatMap(PlainEnglish.check) {
            Issue.record(Comment(rawValue: finding.description))
        }
    }

    /// A function that keeps the limits leaves the list of exceptions.
    @Test func everyExceptionIsNeeded() {
        var (parameters, lengths): ([String: Int], [String: Int]) = ([:], [:])
        for file in Repository.files where file.kind == .swift && file.path.hasPrefix("Sources/") {
            for function in Functions.all(in: file.code) {
                let name = "\(file.name) \(function.name)"
                parameters[name] = max(parameters[name, default: 0], function.parameters)
                lengths[name] = max(lengths[name, default: 0], function.last - function.first + 1)
            }
        }
        for name in Rules.manyParameters where parameters[name, default: 0] <= Rules.maximumParameters {
            Issue.record("\(name) has few parameters: take it out of Rules.manyParameters")
        }
        for name in Rules.longFunctions where lengths[name, default: 0] <= Rules.maximumFunctionLength {
            Issue.record("\(name) is short: take it out of Rules.longFunctions")
        }
    }

    /// A rule that reads no files would find nothing.
    @Test func theSourcesAreFound() {
        let paths = Set(Repository.files.map(\.path))
        #expect(paths.isSuperset(of: ["Package.swift", "Sources/Pure/Bytes/Scan.swift", "Tests/TidyTests/TidyTests.swift"]))
        #expect(paths.contains("packaging/bootstrap") && paths.contains(".ci/run"))
        #expect(Repository.files.count > 30)
    }

    @Test func everyModuleHasARow() {
        let known = ImportTable.modules.map(\.name)
        // CZlib: for the tests' traces only.
        for module in Repository.modules where module != "CZlib" {
            #expect(known.contains(module), "\(module) has no row in Tests/TidyTests/ImportTable.swift")
        }
    }

    /// Own modules are imported only by modules further down the table: so there are no cycles, and no upward arrows.
    @Test func theTablePointsOneWay() {
        var above = ImportTable.external
        for row in ImportTable.modules {
            for name in row.imports where !above.contains(name) {
                Issue.record("\(row.name) imports \(name), which stands below it in the table")
            }
            above.insert(row.name)
        }
    }

    @Test func pureModulesImportNoSystem() {
        for name in ["Bytes", "HTTP", "Settings", "Eviction", "Caching", "Balancing", "Machines"] {
            let imports = ImportTable.rows[name]?.imports ?? ["?"]
            // An atomic is neither I/O nor a clock.
            let system = ImportTable.external.subtracting(["Synchronization"])
            #expect(imports.isDisjoint(with: system) && imports.isDisjoint(with: ["Kernel", "Loop", "CKernel"]))
        }
    }
}
