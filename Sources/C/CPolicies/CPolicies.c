// The shipped policies and the page of reasons, embedded in the program from their files. A test checks that
// the list of policies is complete.
#include "CPolicies.h"

#include <stddef.h>

#pragma clang diagnostic ignored "-Wc23-extensions" // #embed

static const unsigned char microcache[] = {
#embed "../../../cache-policies/microcache.yaml" suffix(, 0)
};
static const unsigned char pessimistic[] = {
#embed "../../../cache-policies/pessimistic.yaml" suffix(, 0)
};
static const unsigned char rfc9111[] = {
#embed "../../../cache-policies/rfc9111.yaml" suffix(, 0)
};
static const unsigned char static_assets[] = {
#embed "../../../cache-policies/static-assets.yaml" suffix(, 0)
};
static const unsigned char varnish_offload[] = {
#embed "../../../cache-policies/varnish-offload.yaml" suffix(, 0)
};

static const unsigned char reasons[] = {
#embed "../../../docs/reasons.md" suffix(, 0)
};

static const struct {
  const char *name;
  const unsigned char *text;
} policies[] = {
    {"microcache", microcache},       {"pessimistic", pessimistic},         {"rfc9111", rfc9111},
    {"static-assets", static_assets}, {"varnish-offload", varnish_offload},
};

static int count(void) { return (int)(sizeof policies / sizeof policies[0]); }

int larder_policy_count(void) { return count(); }

const char *larder_policy_name(int index) {
  return index >= 0 && index < count() ? policies[index].name : NULL;
}

const char *larder_policy_text(int index) {
  return index >= 0 && index < count() ? (const char *)policies[index].text : NULL;
}

const char *larder_reasons_text(void) { return (const char *)reasons; }
