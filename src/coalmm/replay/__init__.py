"""A recorded program's allocations run again on a kernel's allocators, and what came of it."""
