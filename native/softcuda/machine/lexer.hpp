// PTX text to tokens.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace softcuda {

enum class TokenKind : std::uint8_t { Identifier, Dot, Integer, Float32, Float64, String, Symbol, End };

/// A Dot token is a directive or a modifier; its text lacks the dot. `value` holds a number, floats as their bits.
struct Token {
    TokenKind kind;
    char symbol = 0;
    bool negativeAllowed = true;  // false for hexadecimal bit patterns of floats
    int line = 0;
    std::string_view text;
    std::uint64_t value = 0;

    bool is(char c) const { return kind == TokenKind::Symbol && symbol == c; }
    bool isDot(std::string_view word) const { return kind == TokenKind::Dot && text == word; }
};

/// Thrown by all stages of loading; becomes a LoadError.
struct SyntaxError : std::runtime_error {
    SyntaxError(int line, const std::string& message) : std::runtime_error(message), line(line) {}
    int line;
};

std::vector<Token> tokenize(std::string_view text);

}  // namespace softcuda
