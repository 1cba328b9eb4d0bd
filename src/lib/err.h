/*
 * Error numbers of the caller's errors: functions return 0 or the negative of one of these. The values
 * are those of Linux so that hosted code can pass errno through; the bare form has no <errno.h>.
 */
#ifndef CV_LIB_ERR_H
#define CV_LIB_ERR_H

#ifdef __STDC_HOSTED__
#if __STDC_HOSTED__
#include <errno.h>
#else
#define EPERM        1
#define ENOENT       2
#define EINTR        4
#define EIO          5
#define E2BIG        7
#define EAGAIN       11
#define ENOMEM       12
#define EACCES       13
#define EFAULT       14
#define EBUSY        16
#define EEXIST       17
#define ENODEV       19
#define ENOTDIR      20
#define EISDIR       21
#define EINVAL       22
#define ENFILE       23
#define EMFILE       24
#define EFBIG        27
#define ENOSPC       28
#define EROFS        30
#define ERANGE       34
#define ENAMETOOLONG 36
#define ENOSYS       38
#define ELOOP        40
#define ENODATA      61
#define EBADMSG      74
#define EOVERFLOW    75
#define ENOTSUP      95
#define ETIMEDOUT    110
#endif
#endif

#endif
