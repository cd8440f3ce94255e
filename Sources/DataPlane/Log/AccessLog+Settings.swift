/// The access log's options from the settings.

internal import AccessLog
internal import Caching
internal import Settings

extension AccessLog.Options {
    /// The access log as the settings describe it.
    init(_ settings: Settings) throws(StartFailure) {
        let destination: AccessLog.Destination
        switch settings.log.access {
        case .none: destination = .none
        case .standardOutput: destination = .standardOutput
        case .file(let path): destination = .file(path)
        case .syslog: throw StartFailure("syslog is not built yet")
        }
        let format: LogFormat
        do {
            switch settings.log.format {
            case .json: format = .json
            case .combined: format = .combined
            case .combinedCache: format = .combinedCache
            case .template(let text): format = try LogFormat(parsing: text)
            }
        } catch {
            throw StartFailure("\(error)")
        }
        self.init(
            destination: destination, format: format, routes: settings.routes.map(\.name),
            servers: settings.upstreams.flatMap(\.serverNames), reasons: Reason.codes)
    }
}
