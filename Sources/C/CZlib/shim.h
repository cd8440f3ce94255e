// zlib: gzip for answers; the tests read their traces through it.
#include <zlib.h>

// Macros that hand the compiled version over, which Swift does not import. 16 more window bits mean gzip.
static inline int larder_deflate_init(z_stream *stream, int level, int window_bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits + 16, memory_level, Z_DEFAULT_STRATEGY);
}

static inline int larder_inflate_init(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits + 16);
}
