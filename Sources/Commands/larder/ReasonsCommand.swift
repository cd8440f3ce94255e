/// `larder reasons`: what the codes of refusals mean, and what to do about them.

internal import ArgumentParser
internal import Configuration

struct ReasonsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reasons",
        abstract: "Say what the reasons in Cache-Status and the access log mean, and what to do about them.")

    @Argument(help: "A reason's code; left out: all of them, a line each.")
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
            throw ValidationError("There is no reason '\(code)'; there are \(codes).")
        }
        print(entry.text)
    }
}
