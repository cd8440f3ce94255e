import Bytes

/// Content-Type by a file name's extension. Text is said to be UTF-8.
enum MediaType {
    /// - Parameter path: a name with its NUL behind it, as `FilePath` writes it.
    static func of(_ path: Span<UInt8>) -> StaticString {
        fileExtension(path).flatMap { known(path.extracting($0)) } ?? "application/octet-stream"
    }

    /// Could the name be one of a page that an application draws by itself? Not where its extension is that
    /// of a style sheet, a script, an image: a page in the place of one of those does harm.
    static func mayBePage(_ path: Span<UInt8>) -> Bool {
        guard let range = fileExtension(path) else { return true }
        let name = path.extracting(range)
        return name.equalsIgnoringCase("html") || name.equalsIgnoringCase("htm")
            || name.equalsIgnoringCase("xhtml") || known(name) == nil
    }

    /// Where the extension is, without its dot; nil where there is none.
    private static func fileExtension(_ path: Span<UInt8>) -> Range<Int>? {
        let end = path.count - 1
        var index = end
        while index > 0, path[index - 1] != 0x2f {
            index -= 1
            if path[index] == 0x2e { return (index + 1)..<end }
        }
        return nil
    }

    private static func known(_ name: Span<UInt8>) -> StaticString? {
        for (known, type) in table where name.equalsIgnoringCase(known) { return type }
        return nil
    }

    // The common ones of a site first: the search is linear.
    private static let table: [(StaticString, StaticString)] = [
        ("html", "text/html; charset=utf-8"), ("css", "text/css; charset=utf-8"),
        ("js", "text/javascript; charset=utf-8"), ("svg", "image/svg+xml; charset=utf-8"),
        ("png", "image/png"),
        ("jpg", "image/jpeg"), ("webp", "image/webp"), ("woff2", "font/woff2"), ("ico", "image/x-icon"),
        ("json", "application/json"), ("mjs", "text/javascript; charset=utf-8"), ("map", "application/json"),
        ("txt", "text/plain; charset=utf-8"), ("xml", "application/xml; charset=utf-8"),
        ("avif", "image/avif"),
        ("jpeg", "image/jpeg"), ("gif", "image/gif"), ("htm", "text/html; charset=utf-8"),
        ("xhtml", "application/xhtml+xml; charset=utf-8"), ("webmanifest", "application/manifest+json"),
        ("wasm", "application/wasm"), ("woff", "font/woff"), ("ttf", "font/ttf"), ("otf", "font/otf"),
        ("pdf", "application/pdf"), ("mp4", "video/mp4"), ("webm", "video/webm"), ("mp3", "audio/mpeg"),
        ("m4a", "audio/mp4"), ("ogg", "audio/ogg"), ("oga", "audio/ogg"), ("ogv", "video/ogg"),
        ("opus", "audio/opus"),
        ("wav", "audio/wav"), ("flac", "audio/flac"), ("mov", "video/quicktime"), ("m4v", "video/mp4"),
        ("m3u8", "application/vnd.apple.mpegurl"), ("ts", "video/mp2t"), ("mpd", "application/dash+xml"),
        ("vtt", "text/vtt; charset=utf-8"), ("md", "text/markdown; charset=utf-8"),
        ("csv", "text/csv; charset=utf-8"),
        ("ics", "text/calendar; charset=utf-8"), ("yaml", "application/yaml"), ("yml", "application/yaml"),
        ("toml", "application/toml"), ("jsonld", "application/ld+json"), ("geojson", "application/geo+json"),
        ("atom", "application/atom+xml; charset=utf-8"), ("rss", "application/rss+xml; charset=utf-8"),
        ("bmp", "image/bmp"), ("tif", "image/tiff"), ("tiff", "image/tiff"), ("jxl", "image/jxl"),
        ("heic", "image/heic"),
        ("apng", "image/apng"), ("gz", "application/gzip"), ("zip", "application/zip"),
        ("tar", "application/x-tar"),
        ("zst", "application/zstd"), ("xz", "application/x-xz"), ("bz2", "application/x-bzip2"),
        ("7z", "application/x-7z-compressed"), ("epub", "application/epub+zip"), ("rtf", "application/rtf"),
        ("glb", "model/gltf-binary"), ("gltf", "model/gltf+json"), ("eot", "application/vnd.ms-fontobject"),
    ]
}
