/// Makes a folder of files an origin, as the settings describe it.

public import Files
internal import Kernel
public import Settings
internal import SystemPackage

extension FilesOrigin {
    /// Opens the folder, and checks the pages that the settings name.
    public convenience init(_ files: Upstream.Files) throws(StartFailure) {
        do {
            let root = try Directory.open(files.root)
            let fallback = try Self.page(files.fallback, "fallback", in: root, files)
            let notFound = try Self.page(files.notFound, "notFound", in: root, files)
            try self.init(
                root: root, cacheControl: files.cacheControl, fallback: fallback, notFound: notFound)
        } catch let failure as StartFailure {
            throw failure
        } catch {
            throw StartFailure("files: cannot open the folder \(files.root): \(error)")
        }
    }

    private static func page(
        _ path: String?, _ key: String, in root: borrowing Directory, _ files: Upstream.Files
    ) throws(StartFailure) -> SitePage? {
        guard let path else { return nil }
        guard let page = SitePage(path) else {
            throw StartFailure("\(key): \(path) is not the path of a file that is served")
        }
        if let problem = page.problem(in: root) {
            throw StartFailure("\(key): \(path) cannot be read below \(files.root): \(problem)")
        }
        return page
    }
}
