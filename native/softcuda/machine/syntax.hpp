// A PTX module as it is written: declarations and statements, names not yet resolved.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lexer.hpp"

namespace softcuda {

enum class Type : std::uint8_t { Pred, B8, B16, B32, B64, U8, U16, U32, U64, S8, S16, S32, S64, F16, F16x2, BF16, BF16x2, F32, F64, TF32 };
enum class Space : std::uint8_t { Generic, Global, Shared, Local, Const, Param, Register };

std::optional<Type> typeNamed(std::string_view name);
const char* nameOf(Type type);
const char* nameOf(Space space);
/// Predicates have one bit.
int bitsOf(Type type);
bool isFloat(Type type);
bool isSigned(Type type);
bool isUntyped(Type type);

/// A value of an initialiser: a number (floats as bits) or the address of a variable.
struct Initial {
    std::uint64_t bits = 0;
    TokenKind kind = TokenKind::Integer;
    std::string_view symbol{};
    bool generic = false;
    int line = 0;
};

struct Variable {
    std::string_view name{};
    Space space = Space::Global;
    Type type = Type::B8;
    std::uint32_t alignment = 1;
    std::uint64_t bytes = 0;  // 0: an array without a size
    bool external = false;
    bool sized = true;
    std::uint32_t elements = 1;
    std::vector<Initial> values{};
    int line = 0;
};

/// A register, or a range of them (%r<10> is %r0 .. %r9).
struct RegisterRange {
    std::string_view prefix;
    Type type;
    std::uint32_t count = 0;  // 0: a single register of that very name
    int line = 0;
};

enum class OperandKind : std::uint8_t { Name, Integer, Float32, Float64, Address, Vector, List, Sink };

struct Operand {
    OperandKind kind = OperandKind::Name;
    bool negated = false;            // !p
    std::string_view name{};          // Name, or an Address with a name as its base
    std::string_view component{};      // the "x" of %tid.x
    std::string_view second{};         // the q of p|q
    std::int64_t offset = 0;         // Address, or a Name with an addend
    std::uint64_t bits = 0;          // the numbers
    std::vector<Operand> elements{};   // Vector, List
};

struct Instruction {
    int line = 0;
    int scope = 0;
    std::string_view guard{};  // empty where there is none
    bool guardNegated = false;
    std::string_view opcode{};
    std::vector<std::string_view> modifiers{};
    std::vector<Operand> operands{};
};

/// What a pair of braces declares.
struct Scope {
    int parent = -1;
    std::map<std::string_view, Type> registers{};
    std::vector<RegisterRange> ranges{};
    std::map<std::string_view, Variable> variables{};
    std::map<std::string_view, std::size_t> labels{};  // to the index of the next instruction
    struct Target {
        std::string_view label;
        int line;
    };
    std::map<std::string_view, std::vector<Target>> branchTargets{};
};

struct FunctionSyntax {
    std::string_view name{};
    bool entry = false;
    bool defined = false;
    int line = 0;
    std::vector<Variable> results{}, parameters{};
    std::uint32_t maxThreads = 0;
    std::vector<Scope> scopes{};
    std::vector<Instruction> instructions{};
};

struct ModuleSyntax {
    int version = 0, target = 0;
    std::vector<Variable> variables{};
    std::map<std::string_view, std::size_t> variableIndex;
    std::vector<FunctionSyntax> functions;
    std::map<std::string_view, std::size_t> functionIndex;
};

ModuleSyntax parse(std::string_view text);

}  // namespace softcuda
