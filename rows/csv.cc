#include "rows/csv.h"

#include <algorithm>
#include <cstring>

namespace clutch::rows {

using Kind = CsvSplit::Kind;

// One walk over the record at the front of a text.
class CsvScan {
 public:
  CsvScan(std::string_view text, bool last, const CsvDialect& dialect, CsvRecord& out)
      : text_(text), last_(last), dialect_(dialect), out_(out) {
    out_.fields_.clear();
    out_.unescaped_.clear();
    out_.copied_.clear();
  }

  CsvSplit run() {
    const size_t newline = text_.find('\n');
    if (text_.empty() || (newline == std::string_view::npos && !last_)) return {};
    const size_t size = newline == std::string_view::npos ? text_.size() : newline + 1;
    std::string_view line = text_.substr(0, newline);
    if (dialect_.comment != 0 && !line.empty() && line.front() == dialect_.comment)
      return {Kind::kPassedOver, size, {}, 0};
    if (dialect_.quote != 0 && line.find(dialect_.quote) != std::string_view::npos) return quoted_record();
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    while (true) {
      const size_t end = line.find(dialect_.delimiter);
      out_.fields_.push_back({line.substr(0, end), false});
      if (end == std::string_view::npos) break;
      line.remove_prefix(end + 1);
    }
    return {Kind::kRecord, size, {}, 0};
  }

 private:
  enum class After : uint8_t { kField, kEnd, kStop };

  CsvSplit quoted_record() {
    while (true) {
      const bool quoted = at_ < text_.size() && text_[at_] == dialect_.quote;
      if (const After after = quoted ? quoted_field() : plain_field(); after != After::kField) {
        if (after == After::kStop) return stopped_;
        break;
      }
    }
    for (size_t i = 0; i < out_.copied_.size(); i += 2) {
      CsvField& field = out_.fields_[out_.copied_[i]];
      field.text = std::string_view(out_.unescaped_).substr(out_.copied_[i + 1], field.text.size());
    }
    return {Kind::kRecord, at_, {}, 0};
  }

  After plain_field() {
    size_t end = at_;
    while (end < text_.size() && text_[end] != dialect_.delimiter && text_[end] != '\n') ++end;
    if (end == text_.size() && !last_) return stop({});
    std::string_view field = text_.substr(at_, end - at_);
    const bool more = end < text_.size() && text_[end] == dialect_.delimiter;
    if (!more && !field.empty() && field.back() == '\r') field.remove_suffix(1);
    out_.fields_.push_back({field, false});
    at_ = std::min(end + 1, text_.size());
    return more ? After::kField : After::kEnd;
  }

  After quoted_field() {
    const size_t copy_start = out_.unescaped_.size();
    bool copied = false;
    size_t from = at_ + 1;
    size_t close;
    while (true) {
      close = text_.find(dialect_.quote, from);
      if (!dialect_.multiline && text_.substr(from, close - from).find('\n') != std::string_view::npos) {
        return broken("a quoted field is not closed in its line", at_);
      }
      if (close == std::string_view::npos) {
        if (!last_) return stop({});
        return stop({Kind::kBroken, text_.size(), "a quoted field is never closed", 0});
      }
      if (close + 1 == text_.size() && !last_) return stop({});
      if (close + 1 == text_.size() || text_[close + 1] != dialect_.quote) break;
      out_.unescaped_.append(text_.substr(from, close + 1 - from));
      copied = true;
      from = close + 2;
    }
    CsvField field{text_.substr(from, close - from), true};
    if (copied) {
      out_.unescaped_.append(field.text);
      out_.copied_.push_back(out_.fields_.size());
      out_.copied_.push_back(copy_start);
      field.text = text_.substr(0, out_.unescaped_.size() - copy_start);  // only its size counts until the end
    }
    out_.fields_.push_back(field);
    return behind_quote(close + 1);
  }

  After behind_quote(size_t at) {
    at_ = at;
    if (at == text_.size()) return After::kEnd;
    if (text_[at] == dialect_.delimiter) {
      ++at_;
      return After::kField;
    }
    if (text_[at] == '\r' && at + 1 == text_.size()) {
      if (!last_) return stop({});
      ++at_;
      return After::kEnd;
    }
    const size_t newline = text_[at] == '\r' ? at + 1 : at;
    if (text_[newline] == '\n') {
      at_ = newline + 1;
      return After::kEnd;
    }
    return broken("text behind a closing quote; double a quote that is part of the text", at);
  }

  After broken(std::string_view problem, size_t at) {
    const size_t newline = text_.find('\n', at);
    if (newline == std::string_view::npos && !last_) return stop({});
    return stop({Kind::kBroken, newline == std::string_view::npos ? text_.size() : newline + 1, problem, at});
  }

  After stop(CsvSplit why) {
    stopped_ = why;
    return After::kStop;
  }

  std::string_view text_;
  bool last_;
  const CsvDialect& dialect_;
  CsvRecord& out_;
  size_t at_ = 0;
  CsvSplit stopped_;
};

CsvSplit split_csv(std::string_view text, bool last, const CsvDialect& dialect, CsvRecord& out) {
  return CsvScan(text, last, dialect, out).run();
}

void CsvReader::feed(std::string_view text) {
  if (position_ > (1U << 16)) {
    rest_.erase(0, position_);
    position_ = 0;
  }
  rest_.append(text);
}

Result<const CsvRecord*> CsvReader::next() {
  while (true) {
    const std::string_view text = std::string_view(rest_).substr(position_);
    if (!finished_ && text.size() < enough_) return nullptr;
    const CsvSplit found = split_csv(text, finished_, dialect_, record_);
    if (found.kind == Kind::kMore) {
      // Why: a long open record is looked at again only when it has doubled, or reading it would take squared time.
      enough_ = text.size() < (1U << 16) ? 0 : 2 * text.size();
      return nullptr;
    }
    enough_ = 0;
    const auto lines_to = [&](size_t end) {
      return std::count(text.begin(), text.begin() + static_cast<long>(end), '\n');
    };
    record_line_ = line_;
    if (found.kind == Kind::kBroken) {
      return Status(CLUTCH_ERR_VALUE,
                    "line " + std::to_string(line_ + lines_to(found.problem_at)) + ": " + std::string(found.problem),
                    CLUTCH_ORIGIN_USER);
    }
    line_ += lines_to(found.size);
    position_ += found.size;
    if (found.kind == Kind::kRecord) return &record_;
  }
}

}  // namespace clutch::rows
