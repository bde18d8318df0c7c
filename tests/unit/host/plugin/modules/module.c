/* A plugin that does nothing, well or wrong in one way: which one, the macro FAULT_* says. */
#include <string.h>

#include "clutch/abi.h"

#define TEXT(s) \
  { (s), sizeof(s) - 1 }

#ifdef FAULT_OTHER_ID
#define ID "org.test.other"
#else
#define ID "org.test.module"
#endif
#ifdef FAULT_OTHER_MODE
#define MODE "other"
#else
#define MODE "module"
#endif
#ifdef FAULT_OTHER_VERSION
#define VERSION "2"
#else
#define VERSION "1"
#endif
#ifdef FAULT_OTHER_PAYLOADS
#define PAYLOADS "import,source"
#else
#define PAYLOADS "import"
#endif
#if defined(FAULT_HIGH_FEATURE)
#define FEATURES (1ull << 40)
#elif defined(FAULT_LOW_FEATURE)
#define FEATURES (1ull << 20)
#elif defined(FAULT_OTHER_FEATURES)
#define FEATURES CLUTCH_FEATURE_CHAIN
#else
#define FEATURES 0
#endif
#ifdef FAULT_OTHER_REVISIONS
#define MAX_REVISION 2
#else
#define MAX_REVISION 1
#endif
#ifdef FAULT_OTHER_LEVELS
#define MAX_LEVEL 3
#else
#define MAX_LEVEL 1
#endif

static const clutch_capability scalar = {
    .struct_size = sizeof(clutch_capability),
    .kind = TEXT("table.scalar"),
    .min_revision = 1,
    .max_revision = MAX_REVISION,
    .payloads = TEXT(PAYLOADS),
    .features = FEATURES,
};
static const clutch_capability map = {
    .struct_size = sizeof(clutch_capability),
    .kind = TEXT("stream.map"),
    .min_revision = 1,
    .max_revision = 1,
    .payloads = TEXT("import"),
};

static const clutch_capability* const capabilities[] = {
    &scalar,
#ifdef FAULT_NULL_CAPABILITY
    NULL,
#endif
#ifdef FAULT_TWICE
    &scalar,
#endif
#ifdef FAULT_MORE_KINDS
    &map,
#endif
};

static const void* get_extension(const char* id) { return strcmp(id, "org.test.map") == 0 ? &map : NULL; }

static int32_t runtime_open(const clutch_host* host, const clutch_options* configuration, clutch_runtime** ret_runtime,
                            clutch_error* error) {
  (void)host, (void)configuration, (void)ret_runtime, (void)error;
  return CLUTCH_ERR_UNSUPPORTED;
}
#ifndef FAULT_NULL_SLOT
static int32_t runtime_probe(clutch_runtime* runtime, const clutch_spec* spec, clutch_error* reason) {
  (void)runtime, (void)spec, (void)reason;
  return CLUTCH_OK;
}
#endif
static void runtime_describe(clutch_runtime* runtime, clutch_fact_sink sink, void* sink_self) {
  (void)runtime, (void)sink, (void)sink_self;
}
static void runtime_close(clutch_runtime* runtime) { (void)runtime; }
static int32_t function_open(clutch_runtime* runtime, const clutch_spec* spec, clutch_function_context* context,
                             clutch_function** ret_function, clutch_function_info* ret_info, clutch_error* error) {
  (void)runtime, (void)spec, (void)context, (void)ret_function, (void)ret_info, (void)error;
  return CLUTCH_ERR_UNSUPPORTED;
}
static int32_t function_submit(clutch_function* function, const clutch_batch* batch, clutch_error* error) {
  (void)function, (void)batch, (void)error;
  return CLUTCH_ERR_UNSUPPORTED;
}
static void function_cancel(clutch_function* function, uint64_t sequence) { (void)function, (void)sequence; }
#ifndef FAULT_NULL_SLOT
static int32_t function_close(clutch_function* function, clutch_error* error) {
  (void)function, (void)error;
  return CLUTCH_OK;
}
#endif

static const clutch_plugin_api api = {
#ifdef FAULT_SMALL_TABLE
    .struct_size = 64,
#else
    .struct_size = sizeof(clutch_plugin_api),
#endif
    .id = TEXT(ID),
    .version = TEXT(VERSION),
#ifdef FAULT_NULL_TEXT
    .mode = {NULL, 4},
#else
    .mode = TEXT(MODE),
#endif
    .capabilities = capabilities,
    .n_capabilities = sizeof(capabilities) / sizeof(capabilities[0]),
    .get_extension = get_extension,
    .runtime_open = runtime_open,
#ifndef FAULT_NULL_SLOT
    .runtime_probe = runtime_probe,
    .function_close = function_close,
#endif
    .runtime_describe = runtime_describe,
    .runtime_close = runtime_close,
    .function_open = function_open,
    .function_submit = function_submit,
    .function_cancel = function_cancel,
};

#ifdef FAULT_UNRESOLVED
void clutch_test_nobody_defines_this(void);
#endif

#ifndef FAULT_NO_SYMBOL
int32_t clutch_plugin_negotiate_v1(const clutch_host_offer* offer, clutch_plugin_answer* answer) {
  answer->min_level = 1;
  answer->max_level = MAX_LEVEL;
#ifdef FAULT_WRONG_LEVEL
  answer->min_level = 7;
  answer->max_level = 9;
#endif
  if (offer->min_level > answer->max_level || offer->max_level < answer->min_level) return CLUTCH_ERR_UNSUPPORTED;
  answer->level = offer->max_level < answer->max_level ? offer->max_level : answer->max_level;
#ifdef FAULT_UNRESOLVED
  clutch_test_nobody_defines_this();
#endif
#ifdef FAULT_LEVEL_ZERO
  answer->level = 0;
#endif
#ifdef FAULT_STATUS
  return 5;
#endif
#ifndef FAULT_NO_TABLE
  answer->api = &api;
#endif
  return CLUTCH_OK;
}
#else
/* Keeps the table in a file that has no entry. */
const clutch_plugin_api* clutch_test_table(void);
const clutch_plugin_api* clutch_test_table(void) { return &api; }
#endif
