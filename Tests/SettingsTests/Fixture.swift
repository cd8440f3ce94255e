/// Configurations in memory.

import Configuration
import Settings

enum Fixture {
    static let listeners = "listeners: [{ bind: 127.0.0.1:8080 }]\n"
    static let routes = "routes: [{ upstream: app }]\n"
    static let upstreams = "upstreams: { app: { servers: [127.0.0.1:3000] } }\n"

    /// Reads `text` as the file `larder.yaml` of the folder `/etc/larder`, with policy files beside it.
    static func read(
        _ text: String, policies: [String: String] = [:], everyPolicy: Bool = false
    ) throws(ConfigurationError) -> LoadedConfiguration {
        var files: [String: String] = [:]
        for (name, text) in policies { files["/etc/larder/cache-policies/\(name).yaml"] = text }
        return try ConfigurationFile.read(
            Array(text.utf8), file: "larder.yaml", folder: "/etc/larder", files: .memory(files), everyPolicy: everyPolicy)
    }

    /// The messages about an unusable file.
    static func mistakes(bytes: [UInt8]) -> [String] {
        do throws(ConfigurationError) {
            _ = try ConfigurationFile.read(
                bytes, file: "larder.yaml", folder: "/etc/larder", files: .memory([:]))
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    /// The warnings and notes of a usable configuration.
    static func notes(_ text: String, policies: [String: String] = [:]) throws(ConfigurationError) -> [String] {
        try read(text, policies: policies).notes.map(\.description)
    }

    /// The messages about an unusable configuration.
    static func mistakes(_ text: String, policies: [String: String] = [:]) -> [String] {
        do {
            _ = try read(text, policies: policies)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }
}
