/// `larder reasons`: explains the reason codes, and what to do about each.

internal import ArgumentParser
internal import Configuration

struct ReasonsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reasons",
        abstract: "Explain the reason codes in Cache-Status and the access log.")

    @Argument(help: "The code of a reason. Without it, the command prints one line for each code.")
    var code: String?

    func run() throws {
        let entries = ReasonsPage.shipped.entries
        guard let code else {
            let width = entries.map(\.code.count).max() ?? 0
            for entry in entries {
                let padding = String(repeating: " ", count: width - entry.code.count)
                print("\(entry.code)\(padding)  \(entry.summary)")
            }
            return
        }
        guard let entry = entries.first(where: { $0.code == code }) else {
            let codes = entries.map(\.code).joined(separator: ", ")
            throw ValidationError("There is no reason '\(code)'; the reasons are \(codes).")
        }
        print(entry.text)
    }
}
