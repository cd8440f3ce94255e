// Brotli's decoder (RFC 7932): the tests read with it what Larder's encoder wrote.
#include <brotli/decode.h>
