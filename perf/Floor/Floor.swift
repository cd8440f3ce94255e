@main
enum Floor {
    static func main() {}
}
