/* Which objects are constructed, as the constructors and destructors say. */
static struct { const void *object; int hook, count; } seen_hooks[65536];
static int seen_count;
static const void *hook_object;

static void hook_event(const void *object, int kind)
{
    int i = 0;
    while (i < seen_count && (seen_hooks[i].object != object || seen_hooks[i].hook != kind / 2))
        i++;
    if (i == seen_count && seen_count < 65535)
        seen_count++;
    seen_hooks[i].object = object;
    seen_hooks[i].hook = kind / 2;
    seen_hooks[i].count = kind % 2 ? seen_hooks[i].count - 1 : 1;
    hook_object = object;
}
#define HOOK_EVENT(object, kind) hook_event(object, kind)

static inline int constructed(const void *object)
{
    for (int i = 0; i < seen_count; i++)
        if (seen_hooks[i].object == object && seen_hooks[i].count > 0)
            return 1;
    return 0;
}

/* Objects that constructor `hook` made and no destructor ended; negative if one was destructed twice. */
static inline int constructions(int hook)
{
    int sum = 0;
    for (int i = 0; i < seen_count; i++)
        if (seen_hooks[i].hook == hook && seen_hooks[i].count)
            sum = seen_hooks[i].count < 0 ? -1 : sum < 0 ? sum : sum + 1;
    return sum;
}
