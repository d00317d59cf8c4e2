/* A log-linear histogram, as HdrHistogram's: 64 buckets for each power of two, so a value is at most 1/64 off. */
#include "load.h"

static uint32_t bucket_of(uint64_t value) {
    if (value < (1u << SUB_BITS))
        return (uint32_t)value;
    uint32_t shift = 63 - (uint32_t)__builtin_clzll(value) - SUB_BITS;
    uint32_t bucket = ((shift + 1) << SUB_BITS) + (uint32_t)((value >> shift) - (1u << SUB_BITS));
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/* The largest value that falls into the bucket. */
static uint64_t top_of(uint32_t bucket) {
    if (bucket < (1u << SUB_BITS))
        return bucket;
    uint32_t shift = (bucket >> SUB_BITS) - 1;
    uint64_t base = (bucket & ((1u << SUB_BITS) - 1)) + (1u << SUB_BITS);
    return ((base + 1) << shift) - 1;
}

void record(struct histogram *histogram, int64_t ns) {
    histogram->counts[bucket_of(ns < 0 ? 0 : (uint64_t)ns)]++;
}

void print_histogram(FILE *out, const char *name, const struct histogram *histogram) {
    const char *comma = "";
    fprintf(out, "\"%s\":[", name);
    for (uint32_t i = 0; i < BUCKETS; i++) {
        if (histogram->counts[i] == 0)
            continue;
        fprintf(out, "%s[%llu,%llu]", comma, (unsigned long long)top_of(i), (unsigned long long)histogram->counts[i]);
        comma = ",";
    }
    fprintf(out, "]");
}
