// Text to Type: a recursive descent over Arrow's names and the SQL names of PyFlink.
//
//   type    = name [ "(" numbers ")" | "[" words "]" ] [ "<" ... ">" ]
//   element = [ name ":" ] type [ [ "not" ] "null" ]
//   field   = name [ ":" ] type [ [ "not" ] "null" ] [ 'comment' ]
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "clutch/columnar/type.h"
#include "clutch/columnar/validate.h"

namespace clutch::columnar {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct Named {
  std::string_view name;
  TypeId id;
};

// Types that are a name and nothing else.
constexpr std::array kSimple = {
    Named{"null", TypeId::kNull},
    Named{"bool", TypeId::kBool},
    Named{"boolean", TypeId::kBool},
    Named{"int8", TypeId::kInt8},
    Named{"tinyint", TypeId::kInt8},
    Named{"int16", TypeId::kInt16},
    Named{"smallint", TypeId::kInt16},
    Named{"int32", TypeId::kInt32},
    Named{"int", TypeId::kInt32},
    Named{"integer", TypeId::kInt32},
    Named{"int64", TypeId::kInt64},
    Named{"bigint", TypeId::kInt64},
    Named{"uint8", TypeId::kUint8},
    Named{"uint16", TypeId::kUint16},
    Named{"uint32", TypeId::kUint32},
    Named{"uint64", TypeId::kUint64},
    Named{"float16", TypeId::kFloat16},
    Named{"halffloat", TypeId::kFloat16},
    Named{"float32", TypeId::kFloat32},
    Named{"float", TypeId::kFloat32},
    Named{"real", TypeId::kFloat32},
    Named{"float64", TypeId::kFloat64},
    Named{"utf8", TypeId::kUtf8},
    Named{"string", TypeId::kUtf8},
    Named{"large_utf8", TypeId::kLargeUtf8},
    Named{"large_string", TypeId::kLargeUtf8},
    Named{"bytes", TypeId::kBinary},
    Named{"large_binary", TypeId::kLargeBinary},
    Named{"date", TypeId::kDate32},
    Named{"month_interval", TypeId::kIntervalMonths},
    Named{"day_time_interval", TypeId::kIntervalDayTime},
    Named{"month_day_nano_interval", TypeId::kIntervalMonthDayNano},
};

Type make_type(TypeId id) {
  Type type;
  type.id = id;
  return type;
}

// The unit that holds so many digits of a second.
TimeUnit unit_of_precision(int32_t digits) {
  if (digits == 0) return TimeUnit::kSecond;
  if (digits <= 3) return TimeUnit::kMilli;
  return digits <= 6 ? TimeUnit::kMicro : TimeUnit::kNano;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Type> whole();

 private:
  // The text.
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  std::string_view peek_word() {
    skip_space();
    size_t end = at_;
    while (end < text_.size() && word_char(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  bool accept_word(std::string_view word) {
    const std::string_view found = peek_word();
    if (!same_word(found, word)) return false;
    at_ += found.size();
    return true;
  }
  Status expected(const std::string& what);
  Status expected_at(size_t at, const std::string& what) {
    at_ = at;
    return expected(what);
  }
  Status require(char c) {
    if (accept(c)) return {};
    return expected(std::string("'") + c + "'");
  }
  Result<int32_t> number(int32_t low, int32_t high, const char* what);

  // The grammar.
  Result<Type> type(int depth);
  Result<Field> element(const char* name, int depth);
  Result<Field> field(int depth);
  Result<std::string> field_name();
  Result<bool> nullable();
  Result<std::optional<Type>> parametric(std::string_view word, int depth);
  Result<std::optional<Type>> temporal(std::string_view word);
  Result<std::optional<Type>> nested(std::string_view word, int depth);
  Result<Type> decimal();
  Result<Type> timestamp(bool local_zone);
  Result<Type> time();
  Result<Type> interval();
  Result<Type> list(TypeId id, int depth);
  Result<Type> row(int depth);
  Result<Type> tuple(int depth);
  Result<Type> map(int depth);
  Result<Type> multiset(int depth);
  Result<Type> dictionary(int depth);
  Result<Type> dictionary_index();
  Result<Type> map_of(Type key, Field value);
  Result<TimeUnit> bracket_unit(TimeUnit from, TimeUnit to);
  Status skip_length();
  Status skip_comment();

  std::string_view text_;
  size_t at_ = 0;
};

Status Parser::expected(const std::string& what) {
  skip_space();
  std::string found = "the end";
  if (at_ < text_.size()) {
    const std::string_view word = peek_word();
    size_t length = word.empty() ? 1 : word.size();
    while (at_ + length < text_.size() && (static_cast<uint8_t>(text_[at_ + length]) & 0xC0) == 0x80) ++length;
    found = "\"" + std::string(text_.substr(at_, length)) + "\"";
  }
  return Status(CLUTCH_ERR_ARGUMENT, "type \"" + std::string(text_) + "\", column " + std::to_string(at_ + 1) +
                                         ": expected " + what + ", found " + found);
}

Result<int32_t> Parser::number(int32_t low, int32_t high, const char* what) {
  skip_space();
  int32_t value = 0;
  const char* begin = text_.data() + at_;
  const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
  if (error != std::errc() || value < low || value > high) {
    return expected(std::string(what) + " from " + std::to_string(low) + " to " + std::to_string(high));
  }
  at_ += static_cast<size_t>(end - begin);
  return value;
}

Result<Type> Parser::whole() {
  if (!valid_utf8(reinterpret_cast<const uint8_t*>(text_.data()), static_cast<int64_t>(text_.size()))) {
    return Status(CLUTCH_ERR_ARGUMENT, "the text of a type is not UTF-8");
  }
  if (text_.find('\0') != std::string_view::npos) {
    return Status(CLUTCH_ERR_ARGUMENT, "the text of a type contains a NUL character");
  }
  CLUTCH_ASSIGN_OR_RETURN(Type result, type(0));
  CLUTCH_ASSIGN_OR_RETURN([[maybe_unused]] const bool ignored, nullable());
  if (peek() != '\0' || at_ < text_.size()) return expected("the end of the type");
  return result;
}

// Whether [NOT] NULL follows; true if nothing does.
Result<bool> Parser::nullable() {
  if (accept_word("null")) return true;
  if (!accept_word("not")) return true;
  if (!accept_word("null")) return expected("\"null\"");
  return false;
}

// "(n)" behind a SQL name whose length Arrow does not keep.
Status Parser::skip_length() {
  if (!accept('(')) return {};
  CLUTCH_RETURN_IF_ERROR(number(1, INT32_MAX, "a length").status());
  return require(')');
}

Status Parser::skip_comment() {
  if (peek() != '\'') return {};
  const size_t begin = at_++;
  while (at_ < text_.size()) {
    if (text_[at_++] != '\'') continue;
    if (at_ == text_.size() || text_[at_] != '\'') return {};
    ++at_;
  }
  return expected_at(begin, "a comment that ends with '");
}

Result<Type> Parser::type(int depth) {
  skip_space();
  const size_t begin = at_;
  if (depth > kMaxNesting) return expected("at most " + std::to_string(kMaxNesting) + " levels of nesting");
  const std::string_view word = peek_word();
  if (word.empty()) return expected("a type");
  at_ += word.size();
  for (const Named& simple : kSimple) {
    if (same_word(word, simple.name)) return make_type(simple.id);
  }
  for (auto group : {&Parser::parametric, &Parser::nested}) {
    CLUTCH_ASSIGN_OR_RETURN(std::optional<Type> found, (this->*group)(word, depth));
    if (found) return *std::move(found);
  }
  CLUTCH_ASSIGN_OR_RETURN(std::optional<Type> found, temporal(word));
  if (found) return *std::move(found);
  return expected_at(begin, "the name of a type");
}

Result<std::optional<Type>> Parser::parametric(std::string_view word, int /*depth*/) {
  const auto is = [&](std::string_view name) { return same_word(word, name); };
  if (is("double")) {
    accept_word("precision");
    return std::optional(make_type(TypeId::kFloat64));
  }
  if (is("varchar") || is("char") || is("varbinary")) {
    CLUTCH_RETURN_IF_ERROR(skip_length());
    return std::optional(make_type(is("varbinary") ? TypeId::kBinary : TypeId::kUtf8));
  }
  if (is("pickle")) {
    Type result = make_type(TypeId::kBinary);
    result.object = "pickle";
    return std::optional(std::move(result));
  }
  if (is("binary") && peek() != '(') return std::optional(make_type(TypeId::kBinary));
  if (is("binary") || is("fixed_size_binary")) {
    const bool sql = is("binary");
    Type result = make_type(TypeId::kFixedSizeBinary);
    CLUTCH_RETURN_IF_ERROR(require(sql ? '(' : '['));
    CLUTCH_ASSIGN_OR_RETURN(result.width, number(0, INT32_MAX, "a number of bytes"));
    CLUTCH_RETURN_IF_ERROR(require(sql ? ')' : ']'));
    return std::optional(std::move(result));
  }
  if (is("decimal") || is("numeric") || is("dec") || is("decimal128")) {
    CLUTCH_ASSIGN_OR_RETURN(Type result, decimal());
    return std::optional(std::move(result));
  }
  return std::optional<Type>();
}

Result<Type> Parser::decimal() {
  Type result = make_type(TypeId::kDecimal128);
  result.precision = 10;
  if (!accept('(')) return result;
  CLUTCH_ASSIGN_OR_RETURN(result.precision, number(1, 38, "a precision"));
  if (accept(',')) {
    CLUTCH_ASSIGN_OR_RETURN(result.scale, number(-38, 38, "a scale"));
  }
  CLUTCH_RETURN_IF_ERROR(require(')'));
  return result;
}

// "[unit" after the name; leaves the bracket open.
Result<TimeUnit> Parser::bracket_unit(TimeUnit from, TimeUnit to) {
  constexpr std::array<std::string_view, 4> kNames = {"s", "ms", "us", "ns"};
  CLUTCH_RETURN_IF_ERROR(require('['));
  std::string wanted;
  for (size_t i = static_cast<size_t>(from); i <= static_cast<size_t>(to); ++i) {
    if (accept_word(kNames[i])) return static_cast<TimeUnit>(i);
    wanted += (wanted.empty() ? "" : ", ") + std::string(kNames[i]);
  }
  return expected("a unit (" + wanted + ")");
}

Result<Type> Parser::timestamp(bool local_zone) {
  Type result = make_type(TypeId::kTimestamp);
  if (local_zone) result.timezone = "UTC";
  if (!local_zone && peek() == '[') {
    CLUTCH_ASSIGN_OR_RETURN(result.unit, bracket_unit(TimeUnit::kSecond, TimeUnit::kNano));
    if (accept(',')) {
      if (peek_word() == "tz" && text_.substr(at_ + 2, 1) == "=") at_ += 3;
      skip_space();
      const size_t end = text_.find(']', at_);
      if (end == std::string_view::npos) return expected("a time zone and ']'");
      result.timezone = text_.substr(at_, end - at_);
      while (!result.timezone.empty() && result.timezone.back() == ' ') result.timezone.pop_back();
      if (result.timezone.empty() || result.timezone.find('=') != std::string::npos) return expected("a time zone");
      at_ = end;
    }
    CLUTCH_RETURN_IF_ERROR(require(']'));
    return result;
  }
  result.unit = TimeUnit::kMicro;
  if (accept('(')) {
    CLUTCH_ASSIGN_OR_RETURN(const int32_t digits, number(0, 9, "a precision"));
    result.unit = unit_of_precision(digits);
    CLUTCH_RETURN_IF_ERROR(require(')'));
  }
  const bool with = !local_zone && accept_word("with");
  if (!with && (local_zone || !accept_word("without"))) return result;
  if (with) {
    if (!accept_word("local")) return expected("\"local\"");
    result.timezone = "UTC";
  }
  if (!accept_word("time")) return expected("\"time\"");
  if (!accept_word("zone")) return expected("\"zone\"");
  return result;
}

Result<Type> Parser::time() {
  int32_t digits = 0;
  if (accept('(')) {
    CLUTCH_ASSIGN_OR_RETURN(digits, number(0, 9, "a precision"));
    CLUTCH_RETURN_IF_ERROR(require(')'));
  }
  Type result;
  result.unit = unit_of_precision(digits);
  result.id = result.unit <= TimeUnit::kMilli ? TypeId::kTime32 : TypeId::kTime64;
  return result;
}

// SQL intervals: whole months, or milliseconds as Flink counts them.
Result<Type> Parser::interval() {
  const auto unit = [&]() -> Result<bool> {
    const bool months = accept_word("year") || accept_word("month");
    if (!months && !accept_word("day") && !accept_word("hour") && !accept_word("minute") && !accept_word("second")) {
      return expected("year, month, day, hour, minute or second");
    }
    if (accept('(')) {
      CLUTCH_RETURN_IF_ERROR(number(0, 9, "a precision").status());
      CLUTCH_RETURN_IF_ERROR(require(')'));
    }
    return months;
  };
  CLUTCH_ASSIGN_OR_RETURN(const bool months, unit());
  if (accept_word("to")) {
    skip_space();
    const size_t begin = at_;
    CLUTCH_ASSIGN_OR_RETURN(const bool end_months, unit());
    if (end_months != months) return expected_at(begin, months ? "month" : "hour, minute or second");
  }
  Type result = make_type(months ? TypeId::kIntervalMonths : TypeId::kDuration);
  if (!months) result.unit = TimeUnit::kMilli;
  return result;
}

Result<std::optional<Type>> Parser::temporal(std::string_view word) {
  const auto is = [&](std::string_view name) { return same_word(word, name); };
  const auto done = [](Result<Type> type) -> Result<std::optional<Type>> {
    if (!type.ok()) return std::move(type).status();
    return std::optional(*std::move(type));
  };
  if (is("timestamp")) return done(timestamp(false));
  if (is("timestamp_ltz")) return done(timestamp(true));
  if (is("time")) return done(time());
  if (is("interval")) return done(interval());
  if (is("date32") || is("date64")) {
    if (accept('[')) {
      const char* unit = is("date32") ? "day" : "ms";
      if (!accept_word(unit)) return expected(std::string("\"") + unit + "\"");
      CLUTCH_RETURN_IF_ERROR(require(']'));
    }
    return std::optional(make_type(is("date32") ? TypeId::kDate32 : TypeId::kDate64));
  }
  if (is("time32") || is("time64") || is("duration")) {
    Type result = make_type(is("time32") ? TypeId::kTime32 : is("time64") ? TypeId::kTime64 : TypeId::kDuration);
    const TimeUnit from = is("time64") ? TimeUnit::kMicro : TimeUnit::kSecond;
    const TimeUnit to = is("time32") ? TimeUnit::kMilli : TimeUnit::kNano;
    CLUTCH_ASSIGN_OR_RETURN(result.unit, bracket_unit(from, to));
    CLUTCH_RETURN_IF_ERROR(require(']'));
    return std::optional(std::move(result));
  }
  return std::optional<Type>();
}

Result<std::optional<Type>> Parser::nested(std::string_view word, int depth) {
  const auto is = [&](std::string_view name) { return same_word(word, name); };
  const auto done = [](Result<Type> type) -> Result<std::optional<Type>> {
    if (!type.ok()) return std::move(type).status();
    return std::optional(*std::move(type));
  };
  if (is("list") || is("array")) return done(list(TypeId::kList, depth));
  if (is("large_list")) return done(list(TypeId::kLargeList, depth));
  if (is("fixed_size_list")) return done(list(TypeId::kFixedSizeList, depth));
  if (is("struct") || is("row")) return done(row(depth));
  if (is("tuple")) return done(tuple(depth));
  if (is("map")) return done(map(depth));
  if (is("multiset")) return done(multiset(depth));
  if (is("dictionary")) return done(dictionary(depth));
  return std::optional<Type>();
}

// A type with nullability; pyarrow writes the name of the item in front of it.
Result<Field> Parser::element(const char* name, int depth) {
  const size_t begin = at_;
  const std::string_view word = peek_word();
  if (!word.empty()) {
    at_ += word.size();
    if (!accept(':')) at_ = begin;
  }
  Field result;
  result.name = name;
  CLUTCH_ASSIGN_OR_RETURN(result.type, type(depth));
  CLUTCH_ASSIGN_OR_RETURN(result.nullable, nullable());
  return result;
}

Result<Type> Parser::list(TypeId id, int depth) {
  Type result = make_type(id);
  CLUTCH_RETURN_IF_ERROR(require('<'));
  CLUTCH_ASSIGN_OR_RETURN(Field item, element("item", depth + 1));
  result.children.push_back(std::move(item));
  CLUTCH_RETURN_IF_ERROR(require('>'));
  if (id == TypeId::kFixedSizeList) {
    CLUTCH_RETURN_IF_ERROR(require('['));
    CLUTCH_ASSIGN_OR_RETURN(result.width, number(0, INT32_MAX, "a number of items"));
    CLUTCH_RETURN_IF_ERROR(require(']'));
  }
  return result;
}

Result<std::string> Parser::field_name() {
  const char quote = peek();
  if (quote != '`' && quote != '"') {
    const std::string_view word = peek_word();
    if (word.empty()) return expected("the name of a field");
    at_ += word.size();
    return std::string(word);
  }
  const size_t begin = at_++;
  std::string name;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == quote && (at_ == text_.size() || text_[at_] != quote)) return name;
    if (c == quote) ++at_;
    name += c;
  }
  return expected_at(begin, std::string("a name that ends with ") + quote);
}

Result<Field> Parser::field(int depth) {
  Field result;
  CLUTCH_ASSIGN_OR_RETURN(result.name, field_name());
  accept(':');
  CLUTCH_ASSIGN_OR_RETURN(result.type, type(depth));
  CLUTCH_ASSIGN_OR_RETURN(result.nullable, nullable());
  CLUTCH_RETURN_IF_ERROR(skip_comment());
  return result;
}

Result<Type> Parser::row(int depth) {
  Type result = make_type(TypeId::kStruct);
  const bool round = accept('(');
  if (!round) CLUTCH_RETURN_IF_ERROR(require('<'));
  const char close = round ? ')' : '>';
  if (accept(close)) return result;
  do {
    CLUTCH_ASSIGN_OR_RETURN(Field child, field(depth + 1));
    result.children.push_back(std::move(child));
  } while (accept(','));
  if (!accept(close)) return expected(std::string("',' or '") + close + "'");
  return result;
}

Result<Type> Parser::tuple(int depth) {
  CLUTCH_ASSIGN_OR_RETURN(Type result, row(depth));
  result.object = "tuple";
  return result;
}

Result<Type> Parser::map_of(Type key, Field value) {
  Field entries = struct_of({Field{"key", std::move(key), false}, std::move(value)});
  entries.name = "entries";
  Type result = make_type(TypeId::kMap);
  result.children.push_back(std::move(entries));
  return result;
}

Result<Type> Parser::map(int depth) {
  CLUTCH_RETURN_IF_ERROR(require('<'));
  CLUTCH_ASSIGN_OR_RETURN(Field key, element("key", depth + 2));
  CLUTCH_RETURN_IF_ERROR(require(','));
  CLUTCH_ASSIGN_OR_RETURN(Field value, element("value", depth + 2));
  CLUTCH_ASSIGN_OR_RETURN(Type result, map_of(std::move(key.type), std::move(value)));
  if (accept(',')) {
    if (!accept_word("keys_sorted")) return expected("\"keys_sorted\"");
    result.keys_sorted = true;
  }
  CLUTCH_RETURN_IF_ERROR(require('>'));
  return result;
}

// How often each value occurs, which is how Flink stores it.
Result<Type> Parser::multiset(int depth) {
  CLUTCH_RETURN_IF_ERROR(require('<'));
  CLUTCH_ASSIGN_OR_RETURN(Field key, element("key", depth + 2));
  CLUTCH_RETURN_IF_ERROR(require('>'));
  return map_of(std::move(key.type), Field{"value", make_type(TypeId::kInt32), false});
}

Result<Type> Parser::dictionary_index() {
  skip_space();
  const size_t begin = at_;
  CLUTCH_ASSIGN_OR_RETURN(Type index, type(0));
  if (index.id < TypeId::kInt8 || index.id > TypeId::kUint64) return expected_at(begin, "an integer type");
  return index;
}

// Ours is dictionary<INDEX, VALUES[, ordered]>; pyarrow's dictionary<values=V, indices=I, ordered=0>.
Result<Type> Parser::dictionary(int depth) {
  Type result = make_type(TypeId::kDictionary);
  CLUTCH_RETURN_IF_ERROR(require('<'));
  Field values;
  values.name = "values";
  if (accept_word("values")) {
    CLUTCH_RETURN_IF_ERROR(require('='));
    CLUTCH_ASSIGN_OR_RETURN(values.type, type(depth + 1));
    CLUTCH_RETURN_IF_ERROR(require(','));
    if (!accept_word("indices")) return expected("\"indices\"");
    CLUTCH_RETURN_IF_ERROR(require('='));
    CLUTCH_ASSIGN_OR_RETURN(const Type index, dictionary_index());
    result.index = index.id;
  } else {
    CLUTCH_ASSIGN_OR_RETURN(const Type index, dictionary_index());
    result.index = index.id;
    CLUTCH_RETURN_IF_ERROR(require(','));
    CLUTCH_ASSIGN_OR_RETURN(values.type, type(depth + 1));
  }
  if (accept(',')) {
    if (!accept_word("ordered")) return expected("\"ordered\"");
    result.ordered = true;
    if (accept('=')) {
      CLUTCH_ASSIGN_OR_RETURN(const int32_t flag, number(0, 1, "a flag"));
      result.ordered = flag != 0;
    }
  }
  CLUTCH_RETURN_IF_ERROR(require('>'));
  result.children.push_back(std::move(values));
  return result;
}

}  // namespace

Result<Type> parse_type(std::string_view text) { return Parser(text).whole(); }

}  // namespace clutch::columnar
