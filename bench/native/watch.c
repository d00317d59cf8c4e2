/* CPU time and resident memory from /proc. The kernel scales user + system to what the scheduler measured, so their sum
 * is good to one tick (10 ms), which is why windows are seconds long; how it splits between the two is an estimate. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load.h"

static FILE *open_proc(int pid, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail("cannot read %s: the process is gone, or another user's", path);
    return file;
}

static void read_cpu(int pid, uint64_t *user_us, uint64_t *system_us) {
    char text[1024];
    FILE *file = open_proc(pid, "stat");
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    /* The name in parentheses may hold anything, so fields are counted from its end: state is the third of the line. */
    char *at = strrchr(text, ')');
    unsigned long long user = 0, system = 0;
    if (at == NULL ||
        sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
        fail("cannot read the CPU time of process %d", pid);
    uint64_t tick_us = 1000000u / (uint64_t)sysconf(_SC_CLK_TCK);
    *user_us = user * tick_us;
    *system_us = system * tick_us;
}

/* From smaps_rollup, as the figure in stat and status is kept per core and only roughly summed. */
static uint64_t read_rss(int pid) {
    char line[256];
    unsigned long long kilobytes = 0;
    FILE *file = open_proc(pid, "smaps_rollup");
    while (fgets(line, sizeof line, file) != NULL && sscanf(line, "Rss: %llu kB", &kilobytes) != 1)
        ;
    fclose(file);
    return kilobytes * 1024;
}

/* Who else used the cores in the meantime decides whether a run can be believed. */
static void read_cores(struct usage *usage) {
    char line[512];
    int core;
    unsigned long long user, nice, system, irq, softirq, steal;
    uint64_t tick_us = 1000000u / (uint64_t)sysconf(_SC_CLK_TCK);
    FILE *file = fopen("/proc/stat", "r");
    if (file == NULL)
        fail("cannot read /proc/stat");
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[3] == ' ' || /* the sum of all */
            sscanf(line, "cpu%d %llu %llu %llu %*u %*u %llu %llu %llu", &core, &user, &nice, &system, &irq, &softirq,
                   &steal) != 7 ||
            core >= MAX_CORES)
            continue;
        usage->busy_us[core] = (user + nice + system + irq + softirq) * tick_us;
        usage->stolen_us[core] = steal * tick_us;
        if (core >= usage->cores)
            usage->cores = core + 1;
    }
    fclose(file);
}

void look(struct usage *usage) {
    for (int i = 0; i < options.watched_count; i++)
        read_cpu(options.watched[i], &usage->user_us[i], &usage->system_us[i]);
    read_cores(usage);
}

void weigh(struct usage *usage) {
    for (int i = 0; i < options.watched_count; i++)
        usage->rss_bytes[i] = read_rss(options.watched[i]);
}

int64_t own_cpu_us(void) {
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    return (int64_t)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1000000 + own.ru_utime.tv_usec + own.ru_stime.tv_usec;
}
