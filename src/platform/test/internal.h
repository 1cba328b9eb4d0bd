/* Between the files of the test platform. */
#ifndef CV_PLATFORM_TEST_INTERNAL_H
#define CV_PLATFORM_TEST_INTERNAL_H

#include "lib/base.h"

/* Counts one request; true: it is the one to fail. */
bool request_fails(void);
void live_add(int n);
void files_reset(void);

#endif
