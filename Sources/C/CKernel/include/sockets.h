// Stream sockets over IPv4, IPv6 and unix. Everything made here is non-blocking and close-on-exec.
// Every function returns a result or -errno, retries EINTR where that is right, and keeps no state.
#ifndef LARDER_CKERNEL_SOCKETS_H
#define LARDER_CKERNEL_SOCKETS_H
#include <stddef.h>
#include <stdint.h>

enum { LARDER_UNIX = 1, LARDER_IPV4 = 4, LARDER_IPV6 = 6, LARDER_PATH_CAPACITY = 108,
       LARDER_PRIVATE_NAME = 6 };

/// A socket address in host byte order. The path of a unix address travels beside it, NUL-terminated.
struct larder_address {
    uint64_t high;   // IPv6: the first 64 bits
    uint64_t low;    // IPv6: the last 64 bits; IPv4: the 32 bits
    uint32_t scope;  // IPv6 interface index, or 0
    uint16_t port;
    uint8_t kind;    // LARDER_UNIX, LARDER_IPV4 or LARDER_IPV6
};

/// A listening socket. TCP_NODELAY is set here: Linux hands it down to what is accepted.
/// A unix socket file that nobody listens on is replaced.
int larder_listen(const struct larder_address *_Nonnull address, const char *_Nullable path, int backlog,
                  int reuse_port);
/// Lets further listeners of this user share the port of a listener that was bound alone.
int larder_share_port(int fd);
/// Lets no further connection begin; what is queued, and handshakes that are under way, still come.
int larder_stop_handshakes(int fd);
/// 1 if a read would return bytes at once.
int larder_has_input(int fd);
/// A connecting socket; *in_progress tells whether the handshake is still under way.
int larder_connect(const struct larder_address *_Nonnull address, const char *_Nullable path,
                   int *_Nonnull in_progress);
/// The next queued connection and its peer (an IPv4-mapped peer as IPv4; a unix peer without its path).
int larder_accept(int fd, struct larder_address *_Nonnull peer);
/// A unix listener under an abstract name of the kernel's choice, six bytes long.
int larder_listen_privately(int backlog, uint8_t name[_Nonnull LARDER_PRIVATE_NAME]);
int larder_connect_privately(const uint8_t name[_Nonnull LARDER_PRIVATE_NAME]);
int larder_socket_pair(int *_Nonnull first, int *_Nonnull second);
/// `path` has room for LARDER_PATH_CAPACITY + 1 bytes.
int larder_local_address(int fd, struct larder_address *_Nonnull address, char *_Nonnull path);
int larder_peer_address(int fd, struct larder_address *_Nonnull address, char *_Nonnull path);

/// One sendmsg of up to four runs; unused ones are (NULL, 0).
int64_t larder_send4(int fd, const void *_Nullable a, size_t an, const void *_Nullable b, size_t bn,
                     const void *_Nullable c, size_t cn, const void *_Nullable d, size_t dn, int more);

/// SO_ERROR: 0, or the positive errno of a finished connect; -errno when the question itself failed.
int larder_socket_error(int fd);
// What became of all that was sent before the writing side was shut: 1 the peer has acknowledged it, 0 it has
// not yet, -1 the connection broke. For sockets that are not TCP: 1, unless they broke.
int larder_delivery(int fd);
int larder_shutdown_write(int fd);
int larder_linger_reset(int fd);
int larder_defer_accept(int fd);
int larder_no_delay(int fd);
int larder_peer_credentials(int fd, int *_Nonnull pid, uint32_t *_Nonnull uid, uint32_t *_Nonnull gid);
int larder_close_descriptor(int fd);
int larder_duplicate_descriptor(int fd);
/// Gives the calling thread a descriptor table of its own in which 0, 1, 2 and `kept` (ascending, above 2)
/// are open. 0, or -errno with everything as before.
int larder_separate_descriptors(const int *_Nullable kept, size_t count);

/// Text of 16 address bytes (RFC 5952) into `text` of 46 bytes; its length.
int larder_format_ipv6(uint64_t high, uint64_t low, char *_Nonnull text);
int larder_parse_ipv6(const char *_Nonnull text, uint64_t *_Nonnull high, uint64_t *_Nonnull low);
/// getaddrinfo for stream sockets: calls `found` for each address. 0, or a getaddrinfo error code.
int larder_resolve(const char *_Nonnull host, void *_Nullable context,
                   void (*_Nonnull found)(void *_Nullable context,
                                          const struct larder_address *_Nonnull address));
const char *_Nonnull larder_resolve_error(int code);
#endif
