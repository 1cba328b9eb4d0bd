/*
 * Intrusive doubly linked lists: a struct list_link sits in each element, another is the list's head. A
 * head that is empty, and a link that is on no list, point to themselves. The caller locks.
 */
#ifndef CV_LIB_LIST_H
#define CV_LIB_LIST_H

#include "lib/base.h"

struct list_link {
    struct list_link *next, *prev;
};

static inline void list_init(struct list_link *l)
{
    l->next = l->prev = l;
}

/* Of a head: no elements. Of an element's link: on no list. */
static inline bool list_empty(const struct list_link *l)
{
    return l->next == l;
}

static inline void list_insert_after(struct list_link *where, struct list_link *l)
{
    l->prev = where;
    l->next = where->next;
    where->next->prev = l;
    where->next = l;
}

static inline void list_push_front(struct list_link *head, struct list_link *l)
{
    list_insert_after(head, l);
}

static inline void list_push_back(struct list_link *head, struct list_link *l)
{
    list_insert_after(head->prev, l);
}

/* Leaves l on no list; harmless if it was on none. */
static inline void list_remove(struct list_link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    list_init(l);
}

/* The first link, taken off the list, or NULL. */
static inline struct list_link *list_pop_front(struct list_link *head)
{
    struct list_link *l = head->next;

    if (l == head)
        return NULL;
    list_remove(l);
    return l;
}

/* Appends all of `from` to `head`; `from` becomes empty. */
static inline void list_splice_back(struct list_link *head, struct list_link *from)
{
    if (list_empty(from))
        return;
    from->next->prev = head->prev;
    head->prev->next = from->next;
    from->prev->next = head;
    head->prev = from->prev;
    list_init(from);
}

#define LIST_ENTRY(link, type, member) container_of(link, type, member)

/* `l` is the loop's link. The second form allows the body to remove and free `l`. */
#define LIST_FOR_EACH(l, head) for (struct list_link *l = (head)->next; l != (head); l = l->next)
#define LIST_FOR_EACH_SAFE(l, head)                                                                          \
    for (struct list_link *l = (head)->next, *l##_next = l->next; l != (head);                               \
         l = l##_next, l##_next = l->next)

#endif
