// The only place that includes Python.h: the limited API of 3.8, so that one binary serves every later version.
#pragma once

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x03080000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>
