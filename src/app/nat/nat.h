/* The parts of carbovisor-nat. */
#ifndef CV_APP_NAT_NAT_H
#define CV_APP_NAT_NAT_H

/*
 * Gives up all that is not needed any more: user id where it is root's, memory, files, and then every system
 * call but those of an open network stack. 0, or -1 with errno.
 */
int sandbox_enter(void);

#endif
