/*
 * The platform of unit tests: files, streams and frames in memory, and a switch that makes the Nth request
 * fail. Locks and tasks are real; a lock taken twice, or released by another task, stops the test.
 */
#ifndef CV_PLATFORM_TEST_TEST_PLATFORM_H
#define CV_PLATFORM_TEST_TEST_PLATFORM_H

#include "core/platform.h"

/*
 * The n-th request from now on that may fail does (1: the next); 0: none. Requests are allocations, RAM
 * and code maps, task starts, randomness, and every file, stream and netproc operation with a result.
 */
void test_fail_at(uint64_t n);
/* Whether it happened, and how many requests there were since test_fail_at(). */
bool test_failed(void);
uint64_t test_requests(void);
/* What is not given back yet: allocations, maps, open files, streams. */
uint64_t test_live(void);

/* A file in memory under that path; NULL data: size bytes of zeros. Gone by test_reset(). */
void test_file(const char *path, const void *data, size_t size, bool read_only);
/* Its bytes now, or NULL. */
const uint8_t *test_file_data(const char *path, size_t *size);
/* plat_file_punch() cannot do it there. */
void test_file_no_punch(const char *path);
/* The last line that went to plat_log_line(), and how many there were. */
const char *test_log(unsigned *count);
/* Bytes from the host's side into an open stream, and what was written to it (kept up to 4 KiB). */
void test_stream_input(struct plat_stream *s, const void *data, size_t len);
/* The stream opened last; whether someone types there; whether it is paused. */
struct plat_stream *test_stream(void);
void test_stream_type(struct plat_stream *s, bool typed);
bool test_stream_paused(const struct plat_stream *s);
size_t test_stream_output(struct plat_stream *s, void *buf, size_t size);
/* The network process: its options, a frame from it (len 0: it ended), the frames sent to it one by one (0:
 * no more; 64 are kept). */
const char *test_netproc_options(void);
void test_netproc_input(const void *frame, size_t len);
size_t test_netproc_output(void *buf, size_t size);
/* Clock: real until set; then it stands at that value. */
void test_clock_set(uint64_t ns);
/* Forgets files, log and failures. */
void test_reset(void);

#endif
