/* Arrow columns in plain C: read one value, build a column row by row, hand a struct array over. Part of the template
 * plugin, to be copied with it; everything is static, so two plugins never meet in it. */
#ifndef CLUTCH_TEMPLATE_COLUMNS_H
#define CLUTCH_TEMPLATE_COLUMNS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clutch/abi/arrow.h"

/* A growing run of bytes. */
typedef struct bytes {
  uint8_t *data;
  uint64_t size;
  uint64_t capacity;
} bytes;

/* A column under construction. format is c (int8), i (int32), l (int64), g (float64), u (utf8) or z (binary). */
typedef struct column {
  char format;
  int64_t length;
  int64_t nulls;
  bytes validity;
  bytes offsets; /* int32, for u and z: where each value starts, and the end of the last. */
  bytes values;
} column;

/* 0, or -1 if there is no memory. data may be NULL for zeros. */
static int bytes_append(bytes *self, const void *data, uint64_t size) {
  if (self->size + size > self->capacity || self->data == NULL) {
    uint64_t capacity = self->capacity < 64 ? 64 : self->capacity;
    while (capacity < self->size + size) capacity *= 2;
    uint8_t *grown = realloc(self->data, capacity);
    if (grown == NULL) return -1;
    self->data = grown;
    self->capacity = capacity;
  }
  if (size > 0 && data != NULL) memcpy(self->data + self->size, data, size);
  if (size > 0 && data == NULL) memset(self->data + self->size, 0, size);
  self->size += size;
  return 0;
}

static uint64_t column_width(const column *self) {
  return self->format == 'c' ? 1 : self->format == 'i' ? 4 : self->format == 'l' || self->format == 'g' ? 8 : 0;
}

/* Add one value; data NULL means null. size counts for utf8 and binary only. 0, or -1: no memory, or over 2 GiB. */
static int column_add(column *self, const void *data, uint64_t size) {
  const uint64_t width = column_width(self);
  const int32_t start = 0;
  if (width == 0 && self->offsets.size == 0 && bytes_append(&self->offsets, &start, sizeof(start)) != 0) return -1;
  if (self->length % 8 == 0 && bytes_append(&self->validity, NULL, 1) != 0) return -1;
  if (width != 0) {
    if (bytes_append(&self->values, data, width) != 0) return -1;
  } else {
    const uint64_t end_of_values = self->values.size + (data != NULL ? size : 0);
    const int32_t end = (int32_t)end_of_values;
    if (end_of_values > INT32_MAX || (data != NULL && bytes_append(&self->values, data, size) != 0)) return -1;
    if (bytes_append(&self->offsets, &end, sizeof(end)) != 0) return -1;
  }
  if (data != NULL) self->validity.data[self->length / 8] |= (uint8_t)(1u << (self->length % 8));
  self->nulls += data == NULL;
  ++self->length;
  return 0;
}

/* Drop the values from length on. */
static void column_truncate(column *self, int64_t length) {
  while (self->length > length) {
    const int64_t last = --self->length;
    uint8_t *byte = &self->validity.data[last / 8];
    self->nulls -= (*byte >> (last % 8) & 1) == 0;
    *byte &= (uint8_t) ~(1u << (last % 8));
    if (last % 8 == 0) --self->validity.size;
  }
  if (column_width(self) != 0) {
    self->values.size = (uint64_t)length * column_width(self);
  } else if (self->offsets.size != 0) {
    self->offsets.size = ((uint64_t)length + 1) * sizeof(int32_t);
    self->values.size = (uint64_t)((const int32_t *)(const void *)self->offsets.data)[length];
  }
}

static void column_free(column *self) {
  free(self->validity.data);
  free(self->offsets.data);
  free(self->values.data);
  memset(self, 0, sizeof(*self));
}

/* Release callback, for a struct array and for its columns alike: may run on any thread and needs nothing of us. */
static void release_array(struct ArrowArray *array) {
  for (int64_t i = 0; i < array->n_buffers && array->buffers != NULL; ++i) free((void *)(uintptr_t)array->buffers[i]);
  for (int64_t i = 0; i < array->n_children && array->children != NULL; ++i) {
    if (array->children[i] == NULL) continue;
    if (array->children[i]->release != NULL) array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  free((void *)array->buffers);
  free(array->children);
  array->release = NULL;
}

/* Move a column into an array. 0, or -1: no memory. The array is to be released in both cases. */
static int column_export(column *self, struct ArrowArray *ret_array) {
  const int32_t start = 0;
  const uint64_t width = column_width(self);
  memset(ret_array, 0, sizeof(*ret_array));
  ret_array->release = release_array;
  ret_array->length = self->length;
  ret_array->null_count = self->nulls;
  ret_array->buffers = calloc(3, sizeof(void *));
  if (ret_array->buffers == NULL) return -1;
  if (width == 0 && self->offsets.size == 0 && bytes_append(&self->offsets, &start, sizeof(start)) != 0) return -1;
  ret_array->n_buffers = width == 0 ? 3 : 2;
  if (self->nulls > 0) ret_array->buffers[0] = self->validity.data;
  if (self->nulls == 0) free(self->validity.data);
  ret_array->buffers[1] = width == 0 ? self->offsets.data : self->values.data;
  if (width == 0) ret_array->buffers[2] = self->values.data;
  memset(self, 0, sizeof(*self));
  return 0;
}

/* Move columns into a struct array of that many rows. 0, or -1: no memory. The array is to be released in both cases.
 */
static int columns_export(column *columns, uint64_t n_columns, int64_t length, struct ArrowArray *ret_array) {
  memset(ret_array, 0, sizeof(*ret_array));
  ret_array->release = release_array;
  ret_array->length = length;
  ret_array->buffers = calloc(1, sizeof(void *));
  ret_array->children = calloc(n_columns + 1, sizeof(struct ArrowArray *));
  if (ret_array->buffers == NULL || ret_array->children == NULL) return -1;
  ret_array->n_buffers = 1;
  ret_array->n_children = (int64_t)n_columns;
  for (uint64_t i = 0; i < n_columns; ++i) {
    ret_array->children[i] = calloc(1, sizeof(struct ArrowArray));
    if (ret_array->children[i] == NULL || column_export(&columns[i], ret_array->children[i]) != 0) return -1;
  }
  return 0;
}

/* Read one value: NULL if it is null. ret_size is set for utf8 and binary. index counts from the array's own start. */
static const void *column_value(const struct ArrowArray *array, char format, int64_t index, uint64_t *ret_size) {
  const int64_t at = array->offset + index;
  const uint8_t *validity = array->buffers[0];
  if (validity != NULL && (validity[at / 8] >> (at % 8) & 1) == 0) return NULL;
  if (format == 'u' || format == 'z') {
    const int32_t *offsets = array->buffers[1];
    *ret_size = (uint64_t)(offsets[at + 1] - offsets[at]);
    return array->buffers[2] != NULL ? (const char *)array->buffers[2] + offsets[at] : "";
  }
  const column shape = {.format = format};
  return (const uint8_t *)array->buffers[1] + (uint64_t)at * column_width(&shape);
}

#endif
