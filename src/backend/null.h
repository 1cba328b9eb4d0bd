/*
 * Backends that lead nowhere: for a machine that is only looked at. What is sent is dropped, nothing comes
 * in. Both give NULL without memory; ended by ops->destroy.
 */
#ifndef CV_BACKEND_NULL_H
#define CV_BACKEND_NULL_H

#include "core/chardev.h"
#include "core/netdev.h"

struct chardev *null_char_create(void);
struct netdev *null_net_create(void);

#endif
