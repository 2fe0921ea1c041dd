#include "lexer.hpp"

#include <bit>
#include <cctype>
#include <charconv>
#include <cstdlib>

namespace softcuda {

namespace {

bool isWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$'; }
bool isWordStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%'; }

class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}

    std::vector<Token> run() {
        while (skipBlanks()) next();
        tokens_.push_back({.kind = TokenKind::End, .line = line_, .text = "the end of the text"});
        return std::move(tokens_);
    }

private:
    char at(std::size_t ahead) const { return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0'; }

    /// False at the end of the text.
    bool skipBlanks() {
        while (position_ < text_.size()) {
            char c = text_[position_];
            if (c == '\n') {
                ++line_;
                ++position_;
            } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
                ++position_;
            } else if (c == '/' && at(1) == '/') {
                while (position_ < text_.size() && text_[position_] != '\n') ++position_;
            } else if (c == '/' && at(1) == '*') {
                int start = line_;
                position_ += 2;
                while (position_ < text_.size() && !(text_[position_] == '*' && at(1) == '/')) line_ += text_[position_++] == '\n';
                if (position_ >= text_.size()) throw SyntaxError(start, "a comment without an end");
                position_ += 2;
            } else if (c == '\0' && position_ + 1 == text_.size()) {
                return false;  // the terminator of a C string, where the caller counted it
            } else {
                return true;
            }
        }
        return false;
    }

    void add(TokenKind kind, std::size_t begin, std::uint64_t value = 0) {
        tokens_.push_back({.kind = kind, .line = line_, .text = text_.substr(begin, position_ - begin), .value = value});
    }

    void next() {
        char c = text_[position_];
        std::size_t begin = position_;
        if (isWordStart(c)) {
            ++position_;
            while (isWordCharacter(at(0))) ++position_;
            add(TokenKind::Identifier, begin);
        } else if (std::isdigit(static_cast<unsigned char>(c))) {
            number();
        } else if (c == '.' && isWordCharacter(at(1))) {
            ++position_;
            while (isWordCharacter(at(0)) || (at(0) == ':' && at(1) == ':' && isWordCharacter(at(2)))) position_ += at(0) == ':' ? 2 : 1;
            add(TokenKind::Dot, begin + 1);
        } else if (c == '"') {
            ++position_;
            while (at(0) != '"' && at(0) != '\n' && position_ < text_.size()) ++position_;
            if (at(0) != '"') throw SyntaxError(line_, "a string without an end");
            ++position_;
            add(TokenKind::String, begin);
        } else if (std::string_view("{}[]()<>,;:+-=!|@&*~").find(c) != std::string_view::npos) {
            ++position_;
            add(TokenKind::Symbol, begin);
            tokens_.back().symbol = c;
        } else {
            throw SyntaxError(line_, std::string("an unexpected character '") + c + "'");
        }
    }

    void number() {
        std::size_t begin = position_;
        char second = at(1);
        if (at(0) == '0' && (second == 'f' || second == 'F' || second == 'd' || second == 'D')) {
            bool single = second == 'f' || second == 'F';
            std::uint64_t bits = 0;
            std::size_t digits = single ? 8 : 16;
            const char* first = text_.data() + begin + 2;
            if (begin + 2 + digits > text_.size() || std::from_chars(first, first + digits, bits, 16).ptr != first + digits)
                throw SyntaxError(line_, "a hexadecimal float needs " + std::to_string(digits) + " digits");
            position_ = begin + 2 + digits;
            add(single ? TokenKind::Float32 : TokenKind::Float64, begin, bits);
            tokens_.back().negativeAllowed = false;
        } else {
            int base = 10;
            if (at(0) == '0' && (second == 'x' || second == 'X')) base = 16;
            else if (at(0) == '0' && (second == 'b' || second == 'B')) base = 2;
            std::size_t digits = base == 10 ? begin : begin + 2;
            position_ = digits;
            while (std::isalnum(static_cast<unsigned char>(at(0)))) ++position_;
            if (base == 10 && (at(0) == '.' || text_.substr(begin, position_ - begin).find_first_of("eE") != std::string_view::npos)) {
                decimalFloat(begin);
                return;
            }
            if (base == 10 && at(0) != '.' && text_[begin] == '0' && position_ > begin + 1) base = 8;
            std::size_t end = position_;
            if (text_[end - 1] == 'U') --end;
            std::uint64_t value = 0;
            auto [rest, problem] = std::from_chars(text_.data() + digits, text_.data() + end, value, base);
            if (problem != std::errc() || rest != text_.data() + end)
                throw SyntaxError(line_, "not a number: " + std::string(text_.substr(begin, position_ - begin)));
            add(TokenKind::Integer, begin, value);
            return;
        }
        if (isWordCharacter(at(0))) throw SyntaxError(line_, "a number runs into a word");
    }

    void decimalFloat(std::size_t begin) {
        std::string digits(text_.substr(begin, 400));
        char* end = nullptr;
        double value = std::strtod(digits.c_str(), &end);
        position_ = begin + static_cast<std::size_t>(end - digits.c_str());
        if (isWordCharacter(at(0))) throw SyntaxError(line_, "a number runs into a word");
        add(TokenKind::Float64, begin, std::bit_cast<std::uint64_t>(value));
    }

    std::string_view text_;
    std::size_t position_ = 0;
    int line_ = 1;
    std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) { return Lexer(text).run(); }

}  // namespace softcuda
