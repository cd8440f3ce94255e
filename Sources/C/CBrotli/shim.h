// Brotli's encoder (RFC 7932). The decoder is needed by tests alone: Tests/CBrotliDecoder.
#include <brotli/encode.h>
