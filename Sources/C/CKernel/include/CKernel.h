// What Glibc's Swift module leaves out: Linux system calls behind _GNU_SOURCE and function-like macros.
// Wrappers return a result or -errno. <unistd.h> is not included: it would make `environ` ambiguous.
#ifndef LARDER_CKERNEL_H
#define LARDER_CKERNEL_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>
#include <stddef.h>
#include "memory.h"
#include "calls.h"
#include "sockets.h"
#include "events.h"
#include "files.h"
#include "lock.h"
#include "process.h"
#include "trial.h"
#endif
