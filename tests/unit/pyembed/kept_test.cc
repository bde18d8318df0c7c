// An argument is filled again for the next row only where nobody can know: whoever keeps one keeps its value.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batches.h"
#include "session.h"

namespace clutch::pyembed::testing {
namespace {

using ::testing::ElementsAre;

struct Keeper {
  const char* name;
  const char* text;  // defines keep(x), called for each row, and kept() with all values
};

const Keeper kKeepers[] = {
    {"AList", "values = []\ndef keep(x): values.append(x)\ndef kept(): return values\n"},
    {"ASetAndDict",
     "seen = {}\ndef keep(x): seen[x] = x\ndef kept():\n"
     "    assert all(k is v and k in seen for k, v in seen.items())\n    return list(seen)\n"},
    {"AClosure", "values = []\ndef keep(x): values.append(lambda: x)\ndef kept(): return [v() for v in values]\n"},
    {"ADefault", "values = []\ndef keep(x): values.append(lambda y=x: y)\ndef kept(): return [v() for v in values]\n"},
    {"AGenerator",
     "def hold(x):\n    yield 0\n    yield x\n"
     "values = []\ndef keep(x):\n    g = hold(x)\n    next(g)\n    values.append(g)\n"
     "def kept(): return [next(g) for g in values]\n"},
    {"ACoroutine",
     "async def hold(x): return x\nvalues = []\ndef keep(x): values.append(hold(x))\n"
     "def result(c):\n    try: c.send(None)\n    except StopIteration as stop: return stop.value\n"
     "def kept(): return [result(c) for c in values]\n"},
    {"ARecursion",
     "values = []\ndef down(x, n):\n    if n: return down(x, n - 1)\n    values.append(x)\n"
     "def keep(x): down(x, 20)\ndef kept(): return values\n"},
    {"AFrame",
     "import sys\nvalues = []\ndef keep(x): values.append(sys._getframe())\n"
     "def kept(): return [f.f_locals['x'] for f in values]\n"},
    {"ATraceback",
     "values = []\ndef fail(x): raise ValueError\n"
     "def keep(x):\n    try: fail(x)\n    except ValueError as e: values.append(e)\n"
     "def kept(): return [e.__traceback__.tb_next.tb_frame.f_locals['x'] for e in values]\n"},
    {"ATimerThread",
     "import threading, queue\ntodo, values = queue.Queue(), []\n"
     "def work():\n"
     "    for x in iter(todo.get, todo): values.append(x)\n"
     "thread = threading.Thread(target=work)\n"
     "thread.start()\n"
     "def keep(x): todo.put(x)\n"
     "def kept():\n    todo.put(todo)\n    thread.join()\n    return values\n"},
    {"AnObject",
     "class O: pass\nvalues = []\ndef keep(x):\n    o = O()\n    o.x = x\n    values.append(o)\n"
     "def kept(): return [o.x for o in values]\n"},
    {"ACache",
     "import functools\nvalues = []\n@functools.lru_cache(maxsize=None)\ndef same(x): return x\n"
     "def keep(x): values.append(same(x))\ndef kept(): return values\n"},
    {"ASubinterpreter",
     "try:\n    import _interpreters as interpreters\n"
     "except ImportError:\n    import _xxsubinterpreters as interpreters\n"
     "other = interpreters.create()\n"
     "import builtins, tempfile, os\n"
     "path = tempfile.mktemp()\n"
     "interpreters.run_string(other, 'values = []')\n"
     "values = []\n"
     "def keep(x):\n"
     "    if isinstance(x, float): x = repr(x)\n"
     "    interpreters.run_string(other, 'values.append(x)', shared={'x': x})\n"
     "def kept():\n"
     "    interpreters.run_string(other, 'with open(path, \"w\") as f: f.write(repr(values))', shared={'path': path})\n"
     "    with open(path) as f: found = eval(f.read())\n"
     "    os.remove(path)\n"
     "    interpreters.destroy(other)\n"
     "    return [float(v) if isinstance(v, str) and '.' in v else v for v in found]\n"},
    {"Interning",
     "import sys\nvalues = []\ndef keep(x):\n"
     "    if isinstance(x, str): values.append(id(sys.intern(x)))\n"
     "    else: values.append(x)\n"
     "    mirror.append(str(x) if isinstance(x, str) else x)\n"
     "mirror = []\n"
     "def kept():\n"
     "    if mirror and isinstance(mirror[0], str):\n"
     "        assert all(sys.intern(''.join(list(m))) == m for m in mirror)\n"
     "    return mirror\n"},
    {"AttributeNames",
     "class Names: pass\nnames, values = Names(), []\n"
     "def keep(x):\n"
     "    if isinstance(x, str):\n        getattr(names, x, None)\n        setattr(names, x, len(values))\n"
     "    values.append(x)\n"
     "def kept():\n"
     "    if isinstance(values[0], str): assert [getattr(names, v) for v in values] == list(range(len(values)))\n"
     "    return values\n"},
};

class Kept : public ::testing::TestWithParam<Keeper> {
 protected:
  // Call for enough rows that every loop takes part, keep all arguments, and compare at the end. `make` turns the
  // number of a row into its value, in Python.
  void check(const std::string& type, columnar::Array rows, int64_t count, const std::string& make,
             const std::string& shape) {
    Session session;
    std::string text = std::string(GetParam().text) + "def make(i): return " + make + "\n" + shape;
    const std::string kind = shape.find("yield") == std::string::npos ? "table.scalar" : "stream.flat_map";
    OpenFunction f = session.open(source(kind, text, type, "int64"));
    const int64_t stride = count;
    columnar::Array last = batch_of_last(type);
    ASSERT_EQ(f.submit(std::move(rows)).status, CLUTCH_OK) << stride;
    Outcome outcome = f.submit(std::move(last));
    ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message << outcome.error.details["traceback"];
    EXPECT_THAT(outcome.rows, ElementsAre("{'y': 1}"));
  }
  static columnar::Array batch_of_last(const std::string& type) {
    columnar::ArrayBuilder builder(column("x", type));
    builder.append_null();  // asks for the comparison
    std::vector<columnar::Array> columns;
    columns.push_back(builder.finish());
    return batch_of(std::move(columns));
  }
};

constexpr int64_t kCount = 2500;
// Not remembering itself what came: the values are made again at the end.
constexpr char kCompare[] =
    "    if x is None:\n"
    "        found = list(kept())\n"
    "        assert found == [make(i) for i in range(len(found))], found[:5]\n"
    "        assert len(found) == 2500, len(found)\n";
const std::string kPlain = std::string("def f(x):\n") + kCompare + "        return 1\n    keep(x)\n    return 0\n";
const std::string kYielding =
    std::string("def f(x):\n") + kCompare + "        yield 1\n        return\n    keep(x)\n    yield 0\n    yield 0\n";

INSTANTIATE_TEST_SUITE_P(By, Kept, ::testing::ValuesIn(kKeepers), [](const auto& each) { return each.param.name; });

TEST_P(Kept, IntsOfEverySize) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < kCount; ++i) values.push_back(i % 3 == 0 ? i : (int64_t{1} << 40) * i + i);
  for (const std::string& shape : {kPlain, kYielding}) {
    check("int64", ints(values), kCount, "i if i % 3 == 0 else 2**40 * i + i", shape);
  }
}

TEST_P(Kept, Floats) {
  for (const std::string& shape : {kPlain, kYielding}) {
    columnar::ArrayBuilder builder(column("x", "float64"));
    for (int64_t i = 0; i < kCount; ++i) builder.append(static_cast<double>(i) + 0.5);
    std::vector<columnar::Array> columns;
    columns.push_back(builder.finish());
    check("float64", batch_of(std::move(columns)), kCount, "i + 0.5", shape);
  }
}

TEST_P(Kept, Strings) {
  std::vector<std::string> values;
  for (int64_t i = 0; i < kCount; ++i) {
    char text[32];
    std::snprintf(text, sizeof text, "n%05d", static_cast<int>(i));
    values.emplace_back(text);
  }
  for (const std::string& shape : {kPlain, kYielding}) {
    check("string", texts(values), kCount, "'n%05d' % i", shape);
  }
}

TEST(KeptOnce, AFunctionThatKeepsEveryThirdArgumentKeepsThoseValues) {
  Session session;
  OpenFunction f = session.open(source("table.scalar",
                                       "kept = []\n"
                                       "def f(x):\n"
                                       "    if x % 3 == 0: kept.append(x)\n"
                                       "    if x == 102999: return int(kept == list(range(100002, 103000, 3)))\n"
                                       "    return -1\n"));
  std::vector<int64_t> values;
  for (int64_t i = 100000; i < 103000; ++i) values.push_back(i);
  EXPECT_EQ(f.submit(ints(values)).rows.back(), "{'y': 1}");
}

TEST(KeptOnce, AnArgumentExtendedInPlaceStaysApart) {
  Session session;
  OpenFunction f = session.open(source("table.scalar",
                                       "def f(s):\n"
                                       "    t = s\n"
                                       "    s += '-more'\n"
                                       "    hash(t)\n"
                                       "    return {t: s}[t]\n",
                                       "string", "string"));
  Outcome outcome = f.submit(texts(std::vector<std::string>(100, "same")));
  EXPECT_THAT(outcome.rows, ::testing::Each("{'y': 'same-more'}"));
}

TEST(KeptOnce, ALoopThatEndedTakesNoMoreResults) {
  Session session;
  OpenFunction f =
      session.open(source("table.scalar",
                          "import sys\n"
                          "kept = {}\n"
                          "def f(x):\n"
                          "    if x == 1: kept.update(sys._getframe(1).f_locals) if sys._getframe().f_back else 0\n"
                          "    if x == 2 and 'feed' in kept:\n"
                          "        try: kept['feed'](1)\n"
                          "        except RuntimeError as e: return int('ended' in str(e))\n"
                          "    return 1\n"));
  ASSERT_EQ(f.submit(ints(std::vector<int64_t>(200, 0))).status, CLUTCH_OK);
  ASSERT_EQ(f.submit(ints(std::vector<int64_t>(200, 1))).status, CLUTCH_OK);
  EXPECT_THAT(f.submit(ints({2})).rows, ElementsAre("{'y': 1}"));
}

}  // namespace
}  // namespace clutch::pyembed::testing
