from coalmm.hardware.bits cimport as_u64
from coalmm.heap.buddy cimport Buddy
from coalmm.heap.kmalloc cimport Kmalloc
from coalmm.heap.slab cimport Slabs

cdef Kmalloc _heap
cdef Buddy _buddy
cdef Slabs _slabs
