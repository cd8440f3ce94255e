// zlib: the tests read their traces through it.
#include <zlib.h>
