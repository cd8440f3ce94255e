// Zstandard (RFC 8878): the stable interface; the tests decode with it too.
#include <zstd.h>
