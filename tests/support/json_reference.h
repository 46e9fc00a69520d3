// The slow, obvious JSON parser: recursive descent over a string into a tree. Same rules as
// collectors/common/ json.h states: depth, UTF-8, last of equal names wins. Test data only: recursion is
// bounded by the depth.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flintgauge::reference {

struct Json {
  struct Member;
  enum class Type : std::uint8_t { kNull, kBool, kNumber, kString, kObject, kArray };
  Type type = Type::kNull;
  bool truth = false;
  bool has_repeats = false;     ///< a name came twice
  std::string text;             ///< decoded string, or the number as written
  std::vector<Member> members;  ///< names are unique, in the order of the last ones
  std::vector<Json> elements;

  /// Null when absent.
  const Json* find(std::string_view name) const;
};

struct Json::Member {
  std::string name;
  Json value;
};

inline const Json* Json::find(std::string_view name) const {
  const auto member =
      std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.name == name; });
  return member == members.end() ? nullptr : &member->value;
}

class JsonParser {
 public:
  explicit JsonParser(std::string_view text, int max_depth = 32) : text_(text), max_depth_(max_depth) {}

  /// nullopt when the text is not exactly one valid document.
  std::optional<Json> parse() {
    Json root;
    skip_space();
    if (!value(root, 0)) return std::nullopt;
    skip_space();
    if (at_ != text_.size()) return std::nullopt;
    return root;
  }

  /// Some number could not be held by a double. RapidJSON refuses such a document or not, by its spelling.
  bool has_huge_number() const { return has_huge_number_; }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  bool word(std::string_view text) {
    if (text_.substr(at_, text.size()) != text) return false;
    at_ += text.size();
    return true;
  }

  bool value(Json& out, int depth) {
    switch (peek()) {
      case '{':
        return object(out, depth + 1);
      case '[':
        return array(out, depth + 1);
      case '"':
        out.type = Json::Type::kString;
        return string(out.text);
      case 't':
      case 'f':
        out.type = Json::Type::kBool;
        out.truth = peek() == 't';
        return word(out.truth ? "true" : "false");
      case 'n':
        return word("null");
      default:
        out.type = Json::Type::kNumber;
        return number(out.text);
    }
  }

  bool object(Json& out, int depth) {
    out.type = Json::Type::kObject;
    if (depth > max_depth_ || !take('{')) return false;
    skip_space();
    if (take('}')) return true;
    do {
      std::string name;
      Json member;
      skip_space();
      if (!string(name)) return false;
      skip_space();
      if (!take(':')) return false;
      skip_space();
      if (!value(member, depth)) return false;
      const auto erased =
          std::erase_if(out.members, [&](const Json::Member& earlier) { return earlier.name == name; });
      out.has_repeats = out.has_repeats || erased > 0;
      out.members.push_back({std::move(name), std::move(member)});
      skip_space();
    } while (take(','));
    return take('}');
  }

  bool array(Json& out, int depth) {
    out.type = Json::Type::kArray;
    if (depth > max_depth_ || !take('[')) return false;
    skip_space();
    if (take(']')) return true;
    do {
      skip_space();
      if (!value(out.elements.emplace_back(), depth)) return false;
      skip_space();
    } while (take(','));
    return take(']');
  }

  bool digits() {
    const std::size_t begin = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > begin;
  }

  bool number(std::string& out) {
    const std::size_t begin = at_;
    take('-');
    if (!take('0') && !digits()) return false;
    if (at_ - begin > 300) has_huge_number_ = true;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      const std::size_t exponent = at_;
      if (!digits()) return false;
      if (at_ - exponent > 2) has_huge_number_ = true;
    }
    if (at_ - begin > 300) has_huge_number_ = true;
    out = text_.substr(begin, at_ - begin);
    return true;
  }

  bool hex4(unsigned& code) {
    code = 0;
    for (int i = 0; i < 4; ++i) {
      const std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(peek());
      if (at_ >= text_.size() || digit == std::string_view::npos) return false;
      code = code * 16 + static_cast<unsigned>(digit < 16 ? digit : digit - 6);
      ++at_;
    }
    return true;
  }

  static void append_utf8(std::string& out, unsigned code) {
    const auto put = [&](unsigned byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
      put(0xC0 | (code >> 6));
    } else if (code < 0x10000) {
      put(0xE0 | (code >> 12));
      put(0x80 | ((code >> 6) & 0x3F));
    } else {
      put(0xF0 | (code >> 18));
      put(0x80 | ((code >> 12) & 0x3F));
      put(0x80 | ((code >> 6) & 0x3F));
    }
    put(0x80 | (code & 0x3F));
  }

  bool escape(std::string& out) {
    const std::string_view plain = "\"\\/bfnrt";
    const std::size_t known = at_ < text_.size() ? plain.find(peek()) : std::string_view::npos;
    if (known != std::string_view::npos) {
      ++at_;
      out += "\"\\/\b\f\n\r\t"[known];
      return true;
    }
    unsigned code = 0;
    if (!take('u') || !hex4(code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      unsigned low = 0;
      if (!take('\\') || !take('u') || !hex4(low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, code);
    return true;
  }

  /// One code point of well-formed UTF-8 (Unicode table 3-7).
  bool utf8(std::string& out) {
    const auto byte = [&](std::size_t i) {
      return at_ + i < text_.size() ? static_cast<unsigned char>(text_[at_ + i]) : 0U;
    };
    const unsigned lead = byte(0);
    std::size_t size = 0;
    unsigned low = 0x80;
    unsigned high = 0xBF;
    if (lead < 0x80) {
      size = 1;
    } else if (lead >= 0xC2 && lead <= 0xDF) {
      size = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      size = 3;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      size = 4;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    } else {
      return false;
    }
    for (std::size_t i = 1; i < size; ++i) {
      if (byte(i) < (i == 1 ? low : 0x80) || byte(i) > (i == 1 ? high : 0xBF)) return false;
    }
    out += text_.substr(at_, size);
    at_ += size;
    return true;
  }

  bool string(std::string& out) {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      if (take('"')) return true;
      if (static_cast<unsigned char>(peek()) < 0x20) return false;
      if (take('\\') ? !escape(out) : !utf8(out)) return false;
    }
    return false;
  }

  std::string_view text_;
  int max_depth_;
  std::size_t at_ = 0;
  bool has_huge_number_ = false;
};

inline std::optional<Json> parse_json(std::string_view text) { return JsonParser(text).parse(); }

}  // namespace flintgauge::reference
