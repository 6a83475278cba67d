from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport as_u64
from coalmm.heap.buddy cimport Buddy
from coalmm.heap.fast_path cimport FastPath
from coalmm.heap.kmalloc cimport Kmalloc
from coalmm.heap.slab cimport Slabs

cdef object _last
cdef u64 _last_address
cdef FastPath _fast
cdef Kmalloc _heap
cdef Buddy _buddy
cdef Slabs _slabs
