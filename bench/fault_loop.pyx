"""A compiled loop of software stores, for fault.py."""
from libc.stdint cimport uint64_t as u64

from coalmm.virtual.user_access cimport UserAccess


def store_each(UserAccess user, u64 start, u64 pages, object data):
    """Store `data`, a byte view, at the start of each page of the current process; returns how many succeeded."""
    cdef u64 page, done = 0
    for page in range(pages):
        if user.store(start + (page << 12), data):
            done += 1
    return done
