"""The table of bad inputs: what each row that a check rests on asks for. `coalmm check --list` prints it."""

TEXT = """
B001 frame_alloc until no frame is left, and once more: 0, and nothing else changes
B002 all frames allocated, one in the middle freed: the next frame_alloc gives that one
B003 all frames allocated and freed three times: the same number each time
B004 frame 0 is never given: 0 says that there is none
B007 an allocation that is made to fail: frame_alloc gives 0 there and only there
B009 frame_free of a frame twice: reported, or harmless; no frame has two owners afterwards
B010 frame_free(0): reported, or harmless; frame 0 is not given later
B011 frame_free of an address inside a frame: the frame stays allocated
B012 frame_free of an address behind the RAM: reported, or harmless
B013 frame_free of the largest addresses: reported, or harmless
B019 frame_get_stats(NULL): no crash
B020 statistics into memory at an odd address: every field is right
B021 statistics between other calls: they add up, and agree with frame_get_free_memory
B022 paging_map_page of an address that is not page-aligned: refused, and nothing is mapped
B023 paging_map_page of a frame address that is not page-aligned: refused, and nothing is mapped
B033 paging_map_page of a page that is mapped to another frame: refused, or replaced without a loss
B034 paging_map_page of the same page and frame once more: mapped once, with the rights that were given
B035 paging_map_page without PAGE_PRESENT: refused, or a page that does not translate
B036 paging_map_page with flags in the bits of the address: refused, or without effect on the address
B046 paging_map_page without a frame for a table: an error, nothing is mapped, no table is lost
B047 many pages mapped and unmapped: no growth from round to round
B048 paging_map_page changes the current directory only
B051 paging_unmap_page of a page that was never mapped: nothing
B052 paging_unmap_page twice: the second time nothing
B056 paging_unmap_page of a page that is in use: the TLB does not hold it afterwards
B057 paging_unmap_page and then an access: the TLB does not answer
B058 a frame that was unmapped and is given to another owner is not seen at the old address
B060 paging_get_physical of a page that is not mapped: 0
B062 paging_get_physical of an address inside a page: the frame, with the offset
B066 paging_create_directory without a free frame: NULL
B068 directories created and freed many times: no frame is lost
B070 paging_clone_directory(NULL): NULL, or reported
B073 a clone in which any allocation fails: NULL, the source as it was, every frame back
B074 the current directory is cloned and then written: the clone does not see it
B075 a clone of a clone of a clone: each has its own data
B076 a read-only page in a clone stays read-only
B081 paging_free_directory(NULL): nothing
B082 paging_free_directory twice: reported, or harmless
B083 paging_free_directory of the current directory: refused, or reported
B086 a directory that shares pages with another is freed: the other keeps its data
B088 paging_switch_directory(NULL): reported, or nothing changes
B093 switching between directories that map the same page: each sees its own frame
B097 buddy_init of a size that is no power of two: blocks inside of it only
B098 buddy_init at an odd address: aligned blocks inside of it only
B109 buddy_alloc of more than the largest block: NULL
B110 buddy_alloc of sizes up to the largest number: NULL at once
B112 buddy_alloc until NULL: all blocks are inside the heap and apart
B113 buddy_alloc of a large block where only scattered small ones are free: NULL
B115 buddy_free(NULL): nothing
B116 buddy_free twice: reported, or harmless
B117 buddy_free of an address inside a block: reported, or harmless
B121 a block that has joined its buddy is freed again: reported, or harmless
B122 all blocks freed in any order: the heap is one large block again
B124 slab_cache_create of objects of 0 bytes: NULL
B125 objects of 1 byte: each has an address of its own
B126 slab_cache_create of objects larger than a page, or than memory: they work, or NULL
B128 slab_cache_create with an alignment that is no power of two: NULL
B130 an alignment larger than a page: kept, or NULL
B133 a cache with a very long or an empty name works, or is NULL
B136 slab_cache_create without memory: NULL, and nothing is lost
B138 slab_cache_destroy(NULL): nothing
B139 slab_cache_destroy with live objects: refused or reported, the objects are not given to others
B144 slab_cache_destroy calls the destructor once for each object that was constructed
B145 slab_alloc of no cache: NULL
B146 slab_alloc until NULL: objects keep their bytes, and after a free it works again
B148 an allocation that is made to fail: slab_alloc gives NULL there and only there
B153 slab_free twice: reported, or harmless
B154 slab_free of one object, another, and the first again: reported, or harmless
B155 slab_free of an address inside an object: reported, or harmless
B156 slab_free of an object of another cache: reported, or harmless
B162 slab_shrink_caches with live objects: they keep their bytes
B165 slab_shrink_caches twice: the second time 0
B166 kmalloc(0): NULL, or a pointer that kfree takes
B167 kmalloc(1): memory, and kmalloc_size says at least 1
B168 kmalloc of sizes up to the largest number: NULL
B169 kmalloc of more than there is: NULL, and nothing changes
B172 an allocation that is made to fail inside kmalloc: NULL, and nothing is lost
B174 kzalloc: every byte is zero
B175 kzalloc of sizes up to the largest number: NULL
B176 kzalloc of more than there is: NULL
B181 kmalloc_aligned with an alignment that is no power of two: NULL
B182 kmalloc_aligned with a small alignment works
B183 kmalloc_aligned with a page or 2 MiB: aligned, or NULL
B186 kmalloc_aligned of nearly the largest size: NULL, no sum that wraps
B187 memory of kmalloc_aligned can be given to kfree, krealloc and kmalloc_size
B189 krealloc(NULL, n) is kmalloc(n)
B190 krealloc(p, 0) frees: NULL, or a pointer that kfree takes
B191 krealloc to the same size keeps the bytes
B192 krealloc to the largest size: NULL, and the old memory stays as it was
B193 krealloc in which an allocation fails: NULL, and the old memory stays as it was
B194 krealloc of memory that was freed: reported, or harmless
B198 kfree(NULL): nothing
B199 kfree twice: reported, or harmless
B201 kfree of an address inside an object: reported, or harmless
B202 kfree of an address inside a large object: reported, or harmless
B203 kfree of memory that is no object: reported, or harmless
B208 kmalloc_size(NULL): 0
B212 kmalloc_size says at least what was asked for, and all of it can be written
B213 copy_from_user of 0 bytes, from anywhere: 0
B214 copy_from_user from NULL: -EFAULT
B215 copy_from_user from a kernel address: -EFAULT
B217 copy_from_user of a range that wraps: -EFAULT at once
B219 copy_from_user from a mapped page into one that is not: -EFAULT
B220 copy_from_user from a page without PAGE_USER: -EFAULT
B224 copy_from_user over page borders, from any offset: every byte is right
B226 copy_from_user of very large sizes: -EFAULT
B228 copy_to_user of 0 bytes, to anywhere: 0
B229 copy_to_user to NULL: -EFAULT
B230 copy_to_user to a kernel address: -EFAULT
B234 copy_to_user to a mapped page and on into one that is not: -EFAULT
B235 copy_to_user to a page without PAGE_USER: -EFAULT
B238 copy_to_user that needs a frame of its own where none is left: an error, and nothing changes
B239 copy_to_user over page borders, to any offset: every byte is right
B243 copy_to_user to a read-only page: -EFAULT, and the page stays as it was
B244 copy_to_user to a page that is shared copy-on-write: the other owner does not see it
B246 copy_to_user to a writable page and on into a read-only one: -EFAULT
B248 strncpy_from_user of a string that runs off the mapped pages: -EFAULT
B249 strncpy_from_user of a string whose NUL is a page's last byte: its length
B250 strncpy_from_user of n bytes without NUL at a page's end: n
B252 strncpy_from_user of an empty string: 0
B253 strncpy_from_user from NULL or a kernel address: -EFAULT
B255 strncpy_from_user of exactly n bytes and a NUL: nothing is written behind n bytes
B257 strncpy_from_user of a short string with the largest n: its length
B258 strncpy_from_user over a page border: every byte is right
B259 strncpy_from_user says how long the string is, with or without its NUL
B260 strnlen_user of a string that is longer than asked: max_len, or more
B261 strnlen_user of an address that is not mapped: an error
B263 strnlen_user of a string that runs off the mapped pages: an error
B264 strnlen_user of a string whose NUL is a page's last byte: its length
B267 strnlen_user says how long the string is, with or without its NUL
B268 validate_user_pointer(NULL): false
B270 validate_user_pointer of a kernel address: false
B272 validate_user_pointer of a range that wraps: false
B273 validate_user_pointer of a range with a hole: false
B274 validate_user_pointer of a read-only page for writing: false
B275 validate_user_pointer of a copy-on-write page for writing: true
B277 validate_user_pointer of a page without PAGE_USER: false
B281 validate_user_buffer(NULL): false
B285 validate_user_buffer of a range that wraps: false
B286 validate_user_buffer of a range with a hole: false
B287 validate_user_buffer of a read-only page for writing: false
B288 validate_user_buffer of a copy-on-write page for writing: true
B290 validate_user_buffer of a page without PAGE_USER: false
B294 get_meminfo(NULL): no crash
B295 get_meminfo when memory is used up: free memory is 0, and the sums hold
B296 get_meminfo between other calls: free memory is that of frame_get_free_memory
B297 get_proc_meminfo of a process that is not there: an error
B301 get_proc_meminfo: no part is larger than the whole
B303 mem_dump of 0 bytes: no crash
B308 mem_check_leaks without tracking: 0
B309 memory from before tracking began is not counted as a leak
B310 memory from before tracking began is freed: the count does not fall below zero
B312 mem_enable_tracking twice: as once
B313 mem_enable_tracking with live memory works
B318 a directory is cloned until memory is short, and both are freed: every frame is back
B324 any call in which an allocation fails: everything is as it was before the call
"""
ROWS = {line[:4]: line[5:] for line in TEXT.strip().splitlines()}
