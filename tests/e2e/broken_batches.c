/* Hands batches that break the rules of Arrow to a function, and good ones in between. Prints one line a batch: its
 * name, a tab, and the rows or the error. For bad_input_test.py.
 *
 *   broken_batches MODE
 */
#include <clutch/clutch.h>
#include <stdio.h>
#include <string.h>

static void release(struct ArrowArray* array) { array->release = NULL; }

static const int32_t good[] = {0, 2, 5};
static const int32_t falling[] = {0, 5, 2};
static const int32_t negative[] = {-1, 2, 5};

struct batch {
  const char* name;
  const int32_t* offsets;
  const char* text;
  int64_t rows;    /* Of the struct. */
  int64_t values;  /* Of its column. */
  int64_t offset;  /* Of the column. */
  int64_t nulls;   /* Claimed. */
  int64_t columns; /* Given. */
};

static const struct batch batches[] = {
    {"good", good, "abcde", 2, 2, 0, 0, 1},
    {"falling offsets", falling, "abcde", 2, 2, 0, 0, 1},
    {"negative offset", negative, "abcde", 2, 2, 0, 0, 1},
    {"offsets missing", NULL, "abcde", 2, 2, 0, 0, 1},
    {"values missing", good, NULL, 2, 2, 0, 0, 1},
    {"not UTF-8", good, "ab\xff\xfe\xfd", 2, 2, 0, 0, 1},
    {"column too short", good, "abcde", 2, 1, 0, 0, 1},
    {"negative length", good, "abcde", -1, 2, 0, 0, 1},
    {"negative start", good, "abcde", 2, 2, -1, 0, 1},
    {"nulls without a bitmap", good, "abcde", 2, 2, 0, 1, 1},
    {"column missing", good, "abcde", 2, 2, 0, 0, 0},
    {"good again", good, "abcde", 2, 2, 0, 0, 1},
};

static int run(clutch_app_function* function, const struct batch* batch) {
  const void* buffers[] = {NULL, batch->offsets, batch->text};
  const void* no_buffers[] = {NULL};
  struct ArrowArray column = {.length = batch->values,
                              .null_count = batch->nulls,
                              .offset = batch->offset,
                              .n_buffers = 3,
                              .buffers = buffers,
                              .release = release};
  struct ArrowArray* columns[] = {&column};
  struct ArrowArray rows = {.length = batch->rows,
                            .n_buffers = 1,
                            .n_children = batch->columns,
                            .buffers = no_buffers,
                            .children = columns,
                            .release = release};
  const clutch_app_batch_options options = {.struct_size = sizeof options,
                                            .flags = CLUTCH_APP_UNTRUSTED_INPUT | CLUTCH_APP_INPUT_BORROWED};
  clutch_app_result* result = NULL;
  clutch_app_error* error = NULL;
  const int32_t status = clutch_app_function_call(function, &rows, &options, &result, &error);
  printf("%s\t", batch->name);
  if (status == CLUTCH_OK) {
    for (int64_t row = 0; row < clutch_app_result_row_count(result); ++row) {
      char* text = clutch_app_row_text(clutch_app_result_schema(result), clutch_app_result_rows(result), row);
      printf("%s", text);
      clutch_app_text_free(text);
    }
    printf("\n");
  } else {
    printf("%s: %s\n", clutch_app_status_name(status), clutch_app_error_message(error));
  }
  clutch_app_result_free(result);
  clutch_app_error_free(error);
  return rows.release == NULL ? 0 : 1; /* Consumed on every path. */
}

int main(int argc, char** argv) {
  clutch_app* app = NULL;
  clutch_app_function* function = NULL;
  clutch_app_error* error = NULL;
  const clutch_app_step step = {.struct_size = sizeof step,
                                .kind = "table.scalar",
                                .payload_format = "source",
                                .payload = "def size(s): return len(s)"};
  const clutch_app_step* steps[] = {&step};
  const clutch_app_spec spec = {.struct_size = sizeof spec,
                                .steps = steps,
                                .n_steps = 1,
                                .input = "s: string",
                                .output = "n: int64",
                                .mode = argc == 2 ? argv[1] : "process"};
  if (clutch_app_open(NULL, &app, &error) || clutch_app_function_open(app, &spec, &function, &error)) {
    fprintf(stderr, "%s\n", clutch_app_error_message(error));
    return 1;
  }
  int wrong = 0;
  for (size_t i = 0; i < sizeof batches / sizeof batches[0]; ++i) {
    wrong += run(function, &batches[i]);
  }
  wrong += clutch_app_function_close(function, NULL) != CLUTCH_OK;
  wrong += clutch_app_close(app, NULL) != CLUTCH_OK;
  return wrong;
}
