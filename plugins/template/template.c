/*
 * A complete execution-mode plugin in one C file: runs functions of a C shared library (see native.h).
 *
 * Copy this folder to start a plugin of your own. Read this file from the bottom: the one exported symbol, the table of
 * calls, then the calls in the order in which the host makes them; batch.h goes on with the batches. Comments say what
 * the contract (clutch/abi.h) asks of every plugin. docs/writing-a-plugin.md walks through all of it.
 */
#define _POSIX_C_SOURCE 200809L /* strndup, and clock_gettime in batch.h */

#include <dlfcn.h>

#include "batch.h"

#define PLUGIN_VERSION "0.1.0"
#define SHOW(text) (int)(text).size, (text).data /* For "%.*s". */

static int equals(clutch_str text, const char *word) {
  return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

/* ---- Functions --------------------------------------------------------------------------------------------------- */

static void free_function(clutch_function *function) {
  if (function->library != NULL) dlclose(function->library);
  free(function->name);
  free(function->inputs);
  free(function->outputs);
  free(function->arguments);
  free(function->results);
  free(function);
}

/* The letters of a schema's columns. CLUTCH_OK, or the error is filled. */
static int32_t read_schema(const clutch_runtime *runtime, const clutch_spec *spec, const struct ArrowSchema *schema,
                           char **ret_letters, clutch_error *error) {
  char *letters = calloc((size_t)schema->n_children + 1, 1);
  if (letters == NULL) return no_memory(runtime, error);
  for (int64_t i = 0; i < schema->n_children; ++i) {
    const struct ArrowSchema *child = schema->children[i];
    if (strlen(child->format) != 1 || strchr("lgu", child->format[0]) == NULL || child->dictionary != NULL) {
      free(letters);
      return fail(runtime, error, CLUTCH_ERR_UNSUPPORTED, CLUTCH_ORIGIN_USER,
                  "function \"%.*s\" column \"%s\" has the Arrow type %s%s; mode " PLUGIN_MODE
                  " serves int64, float64 and utf8",
                  SHOW(spec->name), child->name != NULL ? child->name : "",
                  child->dictionary != NULL ? "dictionary with index " : "", child->format);
    }
    letters[i] = child->format[0];
  }
  *ret_letters = letters;
  return CLUTCH_OK;
}

/* Can this specification be served? Fills shape, inputs and outputs; looks at nothing of the user's. */
static int32_t check_spec(const clutch_runtime *runtime, const clutch_spec *spec, clutch_function *into,
                          clutch_error *error) {
  const clutch_step *step = spec->steps[0];
  const char *wrong = NULL; /* What is not served, and what is, for a sentence that stands alone. */
  clutch_str value = TEXT("");
  into->shape = equals(step->kind, CLUTCH_KIND_STREAM_FILTER)          ? SHAPE_FILTER
                : equals(step->kind, CLUTCH_KIND_STREAM_KEYED_PROCESS) ? SHAPE_KEYED
                                                                       : SHAPE_MAP;
  if (spec->n_steps != 1) {
    wrong = "is a chain; mode " PLUGIN_MODE " serves single functions";
  } else if (!equals(step->payload_format, CLUTCH_PAYLOAD_NATIVE)) {
    wrong = "does not have a payload of format native, which is all that mode " PLUGIN_MODE " serves: ";
    value = step->payload_format;
  } else if (into->shape == SHAPE_MAP && !equals(step->kind, CLUTCH_KIND_STREAM_MAP) &&
             !equals(step->kind, CLUTCH_KIND_TABLE_SCALAR)) {
    wrong =
        "has a kind other than table.scalar, stream.map, stream.filter and stream.keyed_process, which are all that "
        "mode " PLUGIN_MODE " serves: ";
    value = step->kind;
  } else if (into->shape == SHAPE_KEYED &&
             (runtime->state == NULL || runtime->timer == NULL || runtime->side_output == NULL)) {
    wrong = "needs a host with state, timers and side outputs";
  }
  if (wrong != NULL) {
    return fail(runtime, error, CLUTCH_ERR_UNSUPPORTED, CLUTCH_ORIGIN_USER, "function \"%.*s\" %s%.*s",
                SHOW(spec->name), wrong, SHOW(value));
  }
  const int32_t status = read_schema(runtime, spec, spec->input, &into->inputs, error);
  if (status != CLUTCH_OK) return status;
  if (into->shape != SHAPE_FILTER) return read_schema(runtime, spec, spec->output, &into->outputs, error);
  into->outputs = strdup("l"); /* A filter gives its input; what it calculates is one number. */
  return into->outputs != NULL ? CLUTCH_OK : no_memory(runtime, error);
}

static int32_t runtime_probe(clutch_runtime *runtime, const clutch_spec *spec, clutch_error *reason) {
  clutch_function scratch = {.runtime = runtime};
  const int32_t status = check_spec(runtime, spec, &scratch, reason);
  free(scratch.inputs);
  free(scratch.outputs);
  return status;
}

/* Load "native:/path/libfoo.so:symbol"; the prefix may be missing. */
static int32_t load_symbol(clutch_function *function, const clutch_step *step, clutch_error *error) {
  char *path = strndup((const char *)step->payload.data, step->payload.size);
  if (path == NULL) return no_memory(function->runtime, error);
  char *start = strncmp(path, "native:", 7) == 0 ? path + 7 : path;
  char *colon = strrchr(start, ':');
  int32_t status = CLUTCH_OK;
  if (start[0] != '/' || colon == NULL || colon[1] == '\0') {
    status =
        fail(function->runtime, error, CLUTCH_ERR_FUNCTION, CLUTCH_ORIGIN_USER,
             "function \"%s\" payload '%s' is not of the form /path/to/libfoo.so:symbol; the path must be absolute",
             function->name, path);
  } else {
    *colon = '\0';
    function->library = dlopen(start, RTLD_NOW | RTLD_LOCAL);
    void *symbol = function->library != NULL ? dlsym(function->library, colon + 1) : NULL;
    memcpy(&function->call, &symbol, sizeof(symbol)); /* ISO C has no cast from an object to a function. */
    if (symbol == NULL) {
      const char *why = dlerror();
      status = fail(function->runtime, error, CLUTCH_ERR_FUNCTION, CLUTCH_ORIGIN_USER,
                    "function \"%s\" could not be loaded: %s", function->name, why != NULL ? why : "it is NULL");
    }
  }
  free(path);
  return status;
}

/* What may only be done while a function opens: declare its state and its side outputs. */
static int32_t declare(clutch_function *function, const clutch_spec *spec, clutch_error *error) {
  const clutch_runtime *runtime = function->runtime;
  const clutch_step *step = spec->steps[0];
  const clutch_state_declaration state = {
      .struct_size = sizeof(state), .state_kind = CLUTCH_STATE_VALUE, .name = TEXT("value")};
  clutch_str aside = TEXT("aside");
  for (uint64_t i = 0; i < step->options.count; ++i) {
    if (equals(step->options.data[i].key, "side_output")) aside = step->options.data[i].value;
  }
  const int32_t status = runtime->state->declare(function->context, &state, &function->state_id, error);
  if (status != CLUTCH_OK) return status;
  return runtime->side_output->declare(function->context, aside, spec->input, &function->aside_tag, error);
}

static int32_t function_open(clutch_runtime *runtime, const clutch_spec *spec, clutch_function_context *context,
                             clutch_function **ret_function, clutch_function_info *ret_info, clutch_error *error) {
  clutch_function *function = calloc(1, sizeof(*function));
  if (function == NULL) return no_memory(runtime, error);
  function->runtime = runtime;
  function->context = context;
  function->on_error = spec->on_error;
  function->name = strndup(spec->name.data, spec->name.size);
  int32_t status = check_spec(runtime, spec, function, error);
  if (status == CLUTCH_OK) {
    function->arguments = calloc(strlen(function->inputs) + 1, sizeof(native_value));
    function->results = calloc(strlen(function->outputs) + 1, sizeof(native_value));
    const int ready = function->name != NULL && function->arguments != NULL && function->results != NULL;
    status = ready ? load_symbol(function, spec->steps[0], error) : no_memory(runtime, error);
  }
  if (status == CLUTCH_OK && function->shape == SHAPE_KEYED) status = declare(function, spec, error);
  if (status != CLUTCH_OK) {
    free_function(function);
    return status; /* An out-parameter is written on success only. */
  }
  ret_info->max_in_flight = 1;
  *ret_function = function;
  return CLUTCH_OK;
}

static int32_t function_close(clutch_function *function, clutch_error *error) {
  (void)error;
  free_function(function);
  return CLUTCH_OK;
}

/* ---- Runtimes ---------------------------------------------------------------------------------------------------- */

static int32_t runtime_open(const clutch_host *host, const clutch_options *configuration, clutch_runtime **ret_runtime,
                            clutch_error *error) {
  (void)configuration; /* A flat list of texts, python.* and others; this plugin has no keys of its own. */
  clutch_runtime *runtime = calloc(1, sizeof(*runtime));
  if (runtime == NULL) {
    const clutch_str text = TEXT("no memory for a runtime");
    host->error_set(error, CLUTCH_ERR_MEMORY, CLUTCH_ORIGIN_HOST, text);
    return CLUTCH_ERR_MEMORY;
  }
  runtime->host = host;
  runtime->metrics = host->get_extension(host, CLUTCH_HOST_METRICS);
  runtime->cancel = host->get_extension(host, CLUTCH_HOST_CANCEL);
  runtime->dead_letter = host->get_extension(host, CLUTCH_HOST_DEAD_LETTER);
  runtime->side_output = host->get_extension(host, CLUTCH_HOST_SIDE_OUTPUT);
  runtime->state = host->get_extension(host, CLUTCH_HOST_STATE);
  runtime->timer = host->get_extension(host, CLUTCH_HOST_TIMER);
  *ret_runtime = runtime;
  return CLUTCH_OK;
}

static void runtime_describe(clutch_runtime *runtime, clutch_fact_sink sink, void *self) {
  (void)runtime;
  const clutch_str key = TEXT("native.types");
  const clutch_str value = TEXT("int64, float64, utf8");
  sink(self, key, value);
}

static void runtime_close(clutch_runtime *runtime) { free(runtime); }

static const void *get_extension(const char *id) {
  (void)id; /* An unknown id is no error; this plugin offers no extension. */
  return NULL;
}

/* ---- The table and the one exported symbol ----------------------------------------------------------------------- */

#define CAPABILITY(kind) \
  { sizeof(clutch_capability), 0, TEXT(kind), 1, 1, TEXT(CLUTCH_PAYLOAD_NATIVE), 0 }

/* The same as in plugin.toml; the host compares them. */
static const clutch_capability map = CAPABILITY(CLUTCH_KIND_STREAM_MAP);
static const clutch_capability filter = CAPABILITY(CLUTCH_KIND_STREAM_FILTER);
static const clutch_capability keyed_process = CAPABILITY(CLUTCH_KIND_STREAM_KEYED_PROCESS);
static const clutch_capability scalar = CAPABILITY(CLUTCH_KIND_TABLE_SCALAR);
static const clutch_capability *const capabilities[] = {&filter, &keyed_process, &map, &scalar};

static const clutch_plugin_api api = {
    .struct_size = sizeof(clutch_plugin_api),
    .id = TEXT(PLUGIN_ID),
    .version = TEXT(PLUGIN_VERSION),
    .mode = TEXT(PLUGIN_MODE),
    .capabilities = capabilities,
    .n_capabilities = sizeof(capabilities) / sizeof(capabilities[0]),
    .get_extension = get_extension,
    .runtime_open = runtime_open,
    .runtime_probe = runtime_probe,
    .runtime_describe = runtime_describe,
    .runtime_close = runtime_close,
    .function_open = function_open,
    .function_submit = function_submit,
    .function_poll = NULL,
    .function_cancel = function_cancel,
    .function_close = function_close,
};

/* Choose the highest level that both sides know; on refusal the host still learns our range. */
int32_t clutch_plugin_negotiate_v1(const clutch_host_offer *offer, clutch_plugin_answer *answer) {
  answer->min_level = 1;
  answer->max_level = CLUTCH_ABI_LEVEL;
  if (offer->min_level > answer->max_level || offer->max_level < answer->min_level) return CLUTCH_ERR_UNSUPPORTED;
  answer->level = offer->max_level < answer->max_level ? offer->max_level : answer->max_level;
  answer->api = &api;
  return CLUTCH_OK;
}
