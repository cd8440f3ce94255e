// The wrappers live in one file per header: sockets.c, events.c.
#include "CKernel.h"
