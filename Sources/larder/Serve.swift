/// The place where a configuration becomes a running proxy.

internal import Logging
internal import Settings

enum Serving {
    /// Serves until told to stop.
    /// - Returns: the exit code.
    static func run(settings: Settings, logger: Logger) async throws -> Int32 {
        for listener in settings.listeners {
            logger.info("would listen", metadata: ["address": "\(listener.bind)"])
        }
        for route in settings.routes {
            logger.info(
                "would serve",
                metadata: [
                    "route": "\(route.name)", "upstream": "\(settings.upstreams[route.upstream].name)",
                    "policy": "\(route.policy.map { settings.policies[$0].name } ?? "none")",
                ])
        }
        logger.error("serving is not built yet")
        return Status.failure
    }
}
