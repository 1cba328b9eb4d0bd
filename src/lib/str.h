/*
 * The C library functions that code of both forms may call. Hosted they come from libc, bare from the
 * platform; declared here because a freestanding compiler has no <string.h>.
 */
#ifndef CV_LIB_STR_H
#define CV_LIB_STR_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

#endif
