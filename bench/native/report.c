/* The result of a run as one JSON object. CPU times are microseconds, memory bytes, histograms [[ns at most, count]]. */
#include "load.h"

static void print_cpu(const char *name, const struct usage *from, const struct usage *to) {
    printf(",\"%s\":{", name);
    for (int i = 0; i < options.watched_count; i++) {
        uint64_t user = to->user_us[i] - from->user_us[i], system = to->system_us[i] - from->system_us[i];
        printf("%s\"%d\":[%llu,%llu]", i ? "," : "", options.watched[i], (unsigned long long)user,
               (unsigned long long)system);
    }
    printf("}");
}

static void print_rss(const char *name, const struct usage *usage) {
    printf(",\"%s\":{", name);
    for (int i = 0; i < options.watched_count; i++)
        printf("%s\"%d\":%llu", i ? "," : "", options.watched[i], (unsigned long long)usage->rss_bytes[i]);
    printf("}");
}

static void print_text(const char *name, const char *text) {
    printf(",\"%s\":\"", name);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else
            putchar(c < 32 || c > 126 ? '?' : c);
    }
    printf("\"");
}

static void print_count(const char *name, uint64_t value) { printf(",\"%s\":%llu", name, (unsigned long long)value); }

static double seconds(int64_t from_ns, int64_t to_ns) { return (double)(to_ns - from_ns) / 1e9; }

static void print_cores(const char *name, const struct usage *from, const struct usage *to) {
    printf(",\"%s\":[", name);
    for (int i = 0; i < to->cores; i++)
        printf("%s[%llu,%llu]", i ? "," : "", (unsigned long long)(to->busy_us[i] - from->busy_us[i]),
               (unsigned long long)(to->stolen_us[i] - from->stolen_us[i]));
    printf("]");
}

static void print_window(const struct snapshots *seen) {
    printf(",\"window\":{\"seconds\":%.6f", seconds(window.began_ns, window.ended_ns));
    printf(",\"settle_seconds\":%.6f", seconds(window.ended_ns, window.settled_ns));
    printf(",\"settled\":%s", seen->did_settle ? "true" : "false");
    printf(",\"client_us\":%lld", (long long)(seen->own_settled_us - seen->own_open_us));
    print_count("deliveries", window.deliveries);
    print_count("all_deliveries", window.all_deliveries);
    print_count("reads", window.reads);
    print_count("requests", window.requests);
    print_count("answers", window.answers);
    print_count("all_answers", window.all_answers);
    print_count("answer_bytes", window.answer_bytes);
    print_count("unsent", unsent());
    print_cpu("cpu_us", &seen->open, &seen->settled);
    print_cores("cores_us", &seen->open, &seen->settled);
    printf(",");
    print_histogram(stdout, "delivery_ns", &window.delivery_ns);
    printf(",");
    print_histogram(stdout, "answer_ns", &window.answer_ns);
    printf("}");
}

void print_report(const struct snapshots *seen) {
    printf("{\"subscribers\":%u", options.subscribers);
    print_count("subscribed", subscribers_open());
    print_count("expected", totals.expected);
    print_count("delivered", totals.delivered);
    print_count("gaps", totals.gaps);
    print_count("duplicates", totals.duplicates);
    print_count("stray", totals.stray);
    print_count("refused", totals.refused);
    print_count("closed", totals.closed);
    print_count("errors", totals.errors);
    print_count("requests_sent", requests_sent);
    print_text("trouble", totals.trouble);
    printf(",\"subscribe_seconds\":%.6f", seconds(seen->began_ns, seen->subscribed_ns));
    printf(",\"caught_up_seconds\":%.6f,", seconds(seen->began_ns, seen->caught_up_ns));
    print_histogram(stdout, "caught_up_ns", &caught_up_ns);
    print_cpu("subscribe_cpu_us", &seen->start, &seen->subscribed);
    print_cpu("caught_up_cpu_us", &seen->start, &seen->caught_up);
    print_cores("caught_up_cores_us", &seen->start, &seen->caught_up);
    printf(",\"caught_up_client_us\":%lld", (long long)(seen->own_caught_up_us - seen->own_start_us));
    print_rss("rss_start", &seen->start);
    print_rss("rss_idle", &seen->idle);
    if (options.stall_for_s > 0) {
        print_rss("rss_stalled", &seen->stalled);
        print_rss("rss_resumed", &seen->resumed);
    }
    if (window.ended_ns > 0)
        print_window(seen);
    printf("}\n");
}
