/* Puts every line of standard input through a Python function, and writes what it gives: a host program in C.
 *
 *   lines FUNCTION [MODE] < in > out
 *
 * FUNCTION is "module:attribute" or "file.py:attribute" and takes one str. If it gives a list (or yields), each item is
 * a line; so it may drop lines or make several of one. Rows go through a batcher, which sends them on in batches.
 */
#define _POSIX_C_SOURCE 200809L /* getline */

#include <clutch/clutch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(clutch_app_error* error) {
  const char* traceback = clutch_app_error_detail(error, CLUTCH_DETAIL_TRACEBACK);
  fprintf(stderr, "lines: %s\n%s", clutch_app_error_message(error), traceback != NULL ? traceback : "");
  exit(1);
}

/* Write the batches that are done; with wait, until none is left. */
static void write_results(clutch_app_batcher* batcher, int wait) {
  clutch_app_error* error = NULL;
  clutch_app_result* result = NULL;
  int32_t status;
  while ((status = clutch_app_batcher_next(batcher, wait ? -1 : 0, NULL, &result, &error)) == CLUTCH_OK) {
    for (int64_t row = 0; row < clutch_app_result_row_count(result); ++row) {
      clutch_app_value line;
      if (clutch_app_value_read(clutch_app_result_schema(result), clutch_app_result_rows(result), 0, row, &line,
                                &error))
        fail(error);
      fwrite(line.data, 1, line.size, stdout); /* A null has size 0. */
      putchar('\n');
    }
    clutch_app_result_free(result);
  }
  if (status == CLUTCH_ERR_NOT_FOUND) clutch_app_error_free(error); /* No batch is submitted. */
  if (status < 0 && status != CLUTCH_ERR_NOT_FOUND) fail(error);
}

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    fprintf(stderr, "usage: lines FUNCTION [MODE] < in > out\n");
    return 2;
  }
  clutch_app* app = NULL;
  clutch_app_function* function = NULL;
  clutch_app_batcher* batcher = NULL;
  clutch_app_error* error = NULL;
  const clutch_app_step step = {
      .struct_size = sizeof step, .kind = "table.table", .payload_format = "import", .payload = argv[1]};
  const clutch_app_step* steps[] = {&step};
  const clutch_app_spec spec = {.struct_size = sizeof spec,
                                .steps = steps,
                                .n_steps = 1,
                                .input = "line: string",
                                .output = "line: string",
                                .mode = argc == 3 ? argv[2] : NULL};
  if (clutch_app_open(NULL, &app, &error) || clutch_app_function_open(app, &spec, &function, &error) ||
      clutch_app_batcher_open(function, NULL, &batcher, &error))
    fail(error);

  char* line = NULL;
  size_t room = 0;
  ssize_t size;
  while ((size = getline(&line, &room, stdin)) >= 0) {
    if (size > 0 && line[size - 1] == '\n') --size;
    const clutch_app_value value = {.kind = CLUTCH_APP_VALUE_BYTES, .data = line, .size = (uint64_t)size};
    if (clutch_app_batcher_push(batcher, &value, 1, &error)) fail(error);
    write_results(batcher, 0);
  }
  if (clutch_app_batcher_flush(batcher, &error)) fail(error);
  write_results(batcher, 1);
  free(line);

  char* decision = clutch_app_function_decision(function, CLUTCH_APP_TEXT);
  char* metrics = clutch_app_function_metrics_report(function, CLUTCH_APP_TEXT);
  fprintf(stderr, "%s\n%s\n", decision, metrics);
  clutch_app_text_free(decision);
  clutch_app_text_free(metrics);
  clutch_app_batcher_close(batcher);
  if (clutch_app_function_close(function, &error) || clutch_app_close(app, &error)) fail(error);
  return fflush(stdout) == 0 ? 0 : 1;
}
