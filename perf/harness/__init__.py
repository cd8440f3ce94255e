"""The modules that perf/bench and perf/traffic share: processes, server configurations, a raw HTTP client."""
