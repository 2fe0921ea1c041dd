#include <algorithm>
#include <bit>
#include <charconv>

#include "syntax.hpp"

namespace softcuda {

namespace {

class Parser {
public:
    explicit Parser(std::string_view text) : tokens_(tokenize(text)) {}

    ModuleSyntax run() {
        while (peek().kind != TokenKind::End) topLevel();
        if (module_.version == 0) throw SyntaxError(1, "no .version");
        if (module_.target == 0) throw SyntaxError(1, "no .target");
        return std::move(module_);
    }

private:
    // Tokens.
    const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(position_ + ahead, tokens_.size() - 1)]; }
    const Token& take() { return tokens_[position_ < tokens_.size() - 1 ? position_++ : position_]; }
    bool takeIf(char symbol) {
        if (!peek().is(symbol)) return false;
        take();
        return true;
    }
    bool takeIf(std::string_view directive) {
        if (!peek().isDot(directive)) return false;
        take();
        return true;
    }
    /// One level of braces or brackets; so many that the stack is in danger are no program.
    struct Nesting {
        explicit Nesting(Parser& parser) : parser(parser) {
            if (++parser.depth_ > 200) parser.fail("braces too deep");
        }
        ~Nesting() { --parser.depth_; }
        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;
        Parser& parser;
    };
    [[noreturn]] void fail(const std::string& message) const { throw SyntaxError(peek().line, message); }
    void expect(char symbol) {
        if (!takeIf(symbol)) fail(std::string("expected '") + symbol + "' instead of '" + std::string(peek().text) + "'");
    }
    std::string_view identifier(const char* what) {
        if (peek().kind != TokenKind::Identifier) fail(std::string("expected ") + what + " instead of '" + std::string(peek().text) + "'");
        return take().text;
    }
    std::uint64_t integer(const char* what) {
        if (peek().kind != TokenKind::Integer) fail(std::string("expected ") + what + " instead of '" + std::string(peek().text) + "'");
        return take().value;
    }
    void skipLine() {
        int line = peek().line;
        while (peek().kind != TokenKind::End && peek().line == line) take();
    }

    /// Line information and hints, which change nothing that a kernel computes.
    bool skipDebug() {
        if (peek().isDot("file") || peek().isDot("loc")) {
            skipLine();
            return true;
        }
        if (peek().isDot("pragma")) {
            take();
            do {
                if (take().kind != TokenKind::String) fail("expected a string behind .pragma");
            } while (takeIf(','));
            expect(';');
            return true;
        }
        if (peek().isDot("section")) {
            take();
            while (!peek().is('{')) {
                if (peek().kind == TokenKind::End) fail("a .section without a body");
                take();
            }
            while (!peek().is('}')) {
                if (peek().kind == TokenKind::End) fail("a .section without an end");
                take();
            }
            take();
            return true;
        }
        return false;
    }

    void topLevel() {
        if (skipDebug()) return;
        if (takeIf(';')) return;
        if (peek().kind != TokenKind::Dot) fail("expected a directive instead of '" + std::string(peek().text) + "'");
        if (takeIf("version")) {
            if (module_.version != 0) fail("a second .version");
            int line = peek().line;
            std::string number(take().text);
            auto digit = [&](std::size_t index) { return number[index] >= '0' && number[index] <= '9'; };
            if (number.size() != 3 || !digit(0) || number[1] != '.' || !digit(2)) throw SyntaxError(line, "not a version: " + number);
            module_.version = (number[0] - '0') * 10 + number[2] - '0';
            if (module_.version < 60 || module_.version > 90) throw SyntaxError(line, ".version " + number + " is not supported (6.0 to 9.0)");
        } else if (takeIf("target")) {
            do {
                int line = peek().line;
                std::string name(identifier("a target"));
                auto unknown = [&] { throw SyntaxError(line, "unknown target " + name); };
                if (name.rfind("sm_", 0) == 0 && name.size() >= 5) {
                    std::string digits = name.substr(3);
                    if (digits.back() == 'a' || digits.back() == 'f') digits.pop_back();
                    if (digits.size() > 3 || digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) unknown();
                    module_.target = std::stoi(digits);
                } else if (name != "debug" && name != "texmode_unified") {
                    unknown();
                }
            } while (takeIf(','));
        } else if (takeIf("address_size")) {
            if (integer("a number") != 64) fail("only .address_size 64 is supported");
        } else {
            linkage();
        }
    }

    void linkage() {
        bool external = false;
        for (;;) {
            if (takeIf("visible") || takeIf("weak") || takeIf("common")) continue;
            if (!takeIf("extern")) break;
            external = true;
        }
        if (takeIf("entry")) function(true);
        else if (takeIf("func")) function(false);
        else if (auto space = variableSpace()) {
            std::vector<Variable> list;
            variables(*space, external, list);
            for (Variable& variable : list) {
                if (auto known = module_.variableIndex.find(variable.name); known != module_.variableIndex.end()) {
                    Variable& first = module_.variables[known->second];
                    if (!first.external && !variable.external) throw SyntaxError(variable.line, "'" + std::string(variable.name) + "' is declared twice");
                    if (first.external) first = variable;
                    continue;
                }
                if (module_.functionIndex.contains(variable.name)) throw SyntaxError(variable.line, "'" + std::string(variable.name) + "' is declared twice");
                module_.variableIndex.emplace(variable.name, module_.variables.size());
                module_.variables.push_back(std::move(variable));
            }
        } else {
            fail("unknown directive ." + std::string(peek().text));
        }
    }

    std::optional<Space> variableSpace() {
        if (takeIf("global")) return Space::Global;
        if (takeIf("const")) return Space::Const;
        if (takeIf("shared")) return Space::Shared;
        if (takeIf("local")) return Space::Local;
        if (takeIf("param")) return Space::Param;
        return std::nullopt;
    }

    Type type() {
        if (peek().kind != TokenKind::Dot) fail("expected a type instead of '" + std::string(peek().text) + "'");
        auto known = typeNamed(peek().text);
        if (!known) fail("unknown type ." + std::string(peek().text));
        take();
        return *known;
    }

    std::uint32_t alignment() {
        std::uint64_t value = integer("an alignment");
        if (value == 0 || value > 4096 || !std::has_single_bit(value)) fail("not an alignment: " + std::to_string(value));
        return static_cast<std::uint32_t>(value);
    }

    /// [.align n] [.v2] .type name [n]... [= initialiser], ...
    void variables(Space space, bool external, std::vector<Variable>& list) {
        std::uint32_t aligned = 0;
        std::uint32_t width = 1;
        for (;;) {
            if (takeIf("align")) aligned = alignment();
            else if (takeIf("v2")) width = 2;
            else if (takeIf("v4")) width = 4;
            else break;
        }
        Type elementType = type();
        // Attributes may stand behind the type of a parameter: .param .u64 .ptr .global .align 4 name
        if (space == Space::Param && takeIf("ptr")) {
            variableSpace();
            if (takeIf("align")) alignment();
        }
        do {
            Variable variable{.space = space, .type = elementType, .external = external, .elements = width, .line = peek().line};
            variable.name = identifier("a name");
            std::uint64_t elements = width;
            while (takeIf('[')) {
                if (peek().is(']')) {
                    variable.sized = false;
                } else {
                    elements *= integer("a size");
                    if (elements > (1ull << 40)) fail("a variable too large");
                }
                expect(']');
            }
            std::uint64_t elementBytes = static_cast<std::uint64_t>(bitsOf(elementType)) / 8;
            if (elementType == Type::Pred) fail("a variable cannot be a predicate");
            variable.alignment = std::max(aligned, static_cast<std::uint32_t>(elementBytes) * (aligned ? 1 : width));
            if (takeIf('=')) {
                if (space != Space::Global && space != Space::Const) fail("only .global and .const variables have initialisers");
                initialiser(variable.values);
                if (!variable.sized) elements = variable.values.size();
                else if (variable.values.size() > elements) fail("more initial values than elements");
                variable.sized = true;
            }
            variable.bytes = variable.sized ? elements * elementBytes : 0;
            variable.elements = static_cast<std::uint32_t>(elements);
            if (!variable.sized && !external && space != Space::Param) fail("'" + std::string(variable.name) + "' has no size");
            list.push_back(std::move(variable));
        } while (space != Space::Param && takeIf(','));
        if (space != Space::Param) expect(';');
    }

    void initialiser(std::vector<Initial>& values) {
        Nesting nesting(*this);
        if (takeIf('{')) {
            if (!peek().is('}')) do initialiser(values); while (takeIf(','));
            expect('}');
            return;
        }
        Initial value{.line = peek().line};
        if (peek().kind == TokenKind::Identifier) {
            value.symbol = take().text;
            if (value.symbol == "generic" && takeIf('(')) {
                value.generic = true;
                value.symbol = identifier("a variable");
                expect(')');
            }
            while (peek().is('+') || peek().is('-')) {
                bool minus = take().is('-');
                if (takeIf('-')) minus = !minus;
                std::uint64_t addend = integer("a number");
                value.bits += minus ? 0 - addend : addend;
            }
        } else {
            Operand number = this->number();
            value.bits = number.bits;
            value.kind = number.kind == OperandKind::Integer ? TokenKind::Integer : number.kind == OperandKind::Float32 ? TokenKind::Float32 : TokenKind::Float64;
        }
        values.push_back(value);
    }

    Operand number() {
        bool minus = takeIf('-');
        if (!minus) takeIf('+');
        bool inverted = takeIf('~');
        Token token = take();
        Operand operand;
        switch (token.kind) {
            case TokenKind::Integer:
                operand.kind = OperandKind::Integer;
                operand.bits = inverted ? ~token.value : token.value;
                if (minus) operand.bits = 0 - operand.bits;
                return operand;
            case TokenKind::Float32:
                if (minus || inverted) fail("a bit pattern with a sign");
                operand.kind = OperandKind::Float32;
                operand.bits = token.value;
                return operand;
            case TokenKind::Float64:
                if (inverted || (minus && !token.negativeAllowed)) fail("a bit pattern with a sign");
                operand.kind = OperandKind::Float64;
                operand.bits = minus ? token.value ^ (1ull << 63) : token.value;
                return operand;
            default: throw SyntaxError(token.line, "expected a number instead of '" + std::string(token.text) + "'");
        }
    }

    // Functions.
    void parameterList(std::vector<Variable>& list) {
        expect('(');
        if (takeIf(')')) return;
        do {
            if (takeIf("reg")) fail("parameters in registers are not supported");
            if (!takeIf("param")) fail("expected .param instead of '" + std::string(peek().text) + "'");
            variables(Space::Param, false, list);
        } while (takeIf(','));
        expect(')');
    }

    void function(bool entry) {
        FunctionSyntax result{.entry = entry, .line = peek().line};
        if (!entry && peek().is('(')) parameterList(result.results);
        result.name = identifier("a function's name");
        if (peek().is('(')) parameterList(result.parameters);
        while (peek().kind == TokenKind::Dot) performance(result);
        if (takeIf(';')) {
            if (!module_.functionIndex.contains(result.name)) addFunction(std::move(result));
            return;
        }
        result.defined = true;
        expect('{');
        result.scopes.emplace_back();
        Scope& outer = result.scopes.front();
        for (const auto* list : {&result.results, &result.parameters})
            for (const Variable& variable : *list) declare(outer, variable);
        function_ = &result;
        body(0);
        function_ = nullptr;
        addFunction(std::move(result));
    }

    void addFunction(FunctionSyntax&& function) {
        if (module_.variableIndex.contains(function.name)) throw SyntaxError(function.line, "'" + std::string(function.name) + "' is declared twice");
        auto known = module_.functionIndex.find(function.name);
        if (known != module_.functionIndex.end()) {
            if (module_.functions[known->second].defined) throw SyntaxError(function.line, "'" + std::string(function.name) + "' is defined twice");
            module_.functions[known->second] = std::move(function);
            return;
        }
        module_.functionIndex.emplace(function.name, module_.functions.size());
        module_.functions.push_back(std::move(function));
    }

    void performance(FunctionSyntax& function) {
        if (takeIf("maxntid") || peek().isDot("reqntid")) {
            bool required = takeIf("reqntid");
            std::uint64_t threads = 1;
            do threads *= integer("a number of threads"); while (takeIf(','));
            if (threads == 0 || threads > 1024) fail(std::string(required ? ".reqntid" : ".maxntid") + " must lie in 1 to 1024");
            function.maxThreads = static_cast<std::uint32_t>(threads);
        } else if (takeIf("minnctapersm") || takeIf("maxnreg")) {
            integer("a number");
        } else if (!function.entry && takeIf("noreturn")) {
        } else if (!skipDebug()) {
            fail("unknown directive ." + std::string(peek().text));
        }
    }

    void declare(Scope& scope, const Variable& variable) {
        if (scope.registers.contains(variable.name) || !scope.variables.emplace(variable.name, variable).second)
            throw SyntaxError(variable.line, "'" + std::string(variable.name) + "' is declared twice");
    }

    /// Whether a range declares a name.
    static bool covers(const RegisterRange& range, std::string_view name) {
        if (name.size() <= range.prefix.size() || name.substr(0, range.prefix.size()) != range.prefix) return false;
        std::string_view digits = name.substr(range.prefix.size());
        std::uint32_t number = 0;
        auto [rest, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        return problem == std::errc() && rest == digits.data() + digits.size() && number < range.count && (digits.size() == 1 || digits[0] != '0');
    }

    void registers(Scope& scope) {
        if (peek().isDot("v2") || peek().isDot("v4")) fail("vectors of registers are not supported");
        Type registerType = type();
        do {
            int line = peek().line;
            std::string_view name = identifier("a register's name");
            auto twice = [&] { throw SyntaxError(line, "'" + std::string(name) + "' is declared twice"); };
            if (takeIf('<')) {
                std::uint64_t count = integer("a number of registers");
                expect('>');
                if (count == 0 || count > 1000000) fail("a range of " + std::to_string(count) + " registers");
                RegisterRange range{name, registerType, static_cast<std::uint32_t>(count), line};
                for (const RegisterRange& other : scope.ranges)
                    if (other.prefix == name) twice();
                for (const auto& [single, singleType] : scope.registers)
                    if (covers(range, single)) twice();
                scope.ranges.push_back(range);
            } else {
                for (const RegisterRange& range : scope.ranges)
                    if (covers(range, name)) twice();
                if (scope.variables.contains(name) || !scope.registers.emplace(name, registerType).second) twice();
            }
        } while (takeIf(','));
        expect(';');
    }

    void body(int scopeIndex) {
        Nesting nesting(*this);
        FunctionSyntax& function = *function_;
        while (!takeIf('}')) {
            if (peek().kind == TokenKind::End) fail("a function without an end");
            if (skipDebug() || takeIf(';')) continue;
            if (takeIf('{')) {
                function.scopes.push_back({.parent = scopeIndex});
                body(static_cast<int>(function.scopes.size()) - 1);
            } else if (takeIf("reg")) {
                registers(function.scopes[static_cast<std::size_t>(scopeIndex)]);
            } else if (peek().kind == TokenKind::Dot) {
                auto space = variableSpace();
                if (!space) fail("unknown directive ." + std::string(peek().text));
                std::vector<Variable> list;
                variables(*space, false, list);
                if (*space == Space::Param) expect(';');
                for (const Variable& variable : list) declare(function.scopes[static_cast<std::size_t>(scopeIndex)], variable);
            } else if (peek().kind == TokenKind::Identifier && peek(1).is(':')) {
                label(function.scopes[static_cast<std::size_t>(scopeIndex)]);
            } else {
                instruction(scopeIndex);
            }
        }
    }

    void label(Scope& scope) {
        int line = peek().line;
        std::string_view name = take().text;
        expect(':');
        bool fresh;
        if (takeIf("branchtargets")) {
            std::vector<Scope::Target> targets;
            do {
                int targetLine = peek().line;
                targets.push_back({identifier("a label"), targetLine});
            } while (takeIf(','));
            expect(';');
            fresh = !scope.labels.contains(name) && scope.branchTargets.emplace(name, std::move(targets)).second;
        } else if (peek().isDot("callprototype") || peek().isDot("calltargets")) {
            fail("calls through pointers are not supported");
        } else {
            fresh = !scope.branchTargets.contains(name) && scope.labels.emplace(name, function_->instructions.size()).second;
        }
        if (!fresh) throw SyntaxError(line, "the label '" + std::string(name) + "' is defined twice");
    }

    // Instructions.
    void instruction(int scope) {
        Instruction result{.line = peek().line, .scope = scope};
        if (takeIf('@')) {
            result.guardNegated = takeIf('!');
            result.guard = identifier("a predicate");
            result.line = peek().line;
        }
        result.opcode = identifier("an instruction");
        while (peek().kind == TokenKind::Dot) result.modifiers.push_back(take().text);
        if (!peek().is(';')) do result.operands.push_back(operand()); while (takeIf(','));
        expect(';');
        function_->instructions.push_back(std::move(result));
    }

    void sequence(std::vector<Operand>& elements, char end) {
        if (!peek().is(end)) do elements.push_back(operand()); while (takeIf(','));
        expect(end);
    }

    std::int64_t addends() {
        std::int64_t sum = 0;
        while (peek().is('+') || peek().is('-')) {
            bool minus = take().is('-');
            if (takeIf('-')) minus = !minus;
            auto value = static_cast<std::int64_t>(integer("an offset"));
            sum += minus ? -value : value;
        }
        return sum;
    }

    Operand operand() {
        Nesting nesting(*this);
        Operand result;
        if (takeIf('[')) {
            result.kind = OperandKind::Address;
            if (peek().kind == TokenKind::Identifier) {
                result.name = take().text;
                result.offset = addends();
            } else {
                result.offset = static_cast<std::int64_t>(number().bits);
                result.offset += addends();
            }
            expect(']');
        } else if (takeIf('{')) {
            result.kind = OperandKind::Vector;
            sequence(result.elements, '}');
        } else if (takeIf('(')) {
            result.kind = OperandKind::List;
            sequence(result.elements, ')');
        } else if (takeIf('!')) {
            result.negated = true;
            result.name = identifier("a predicate");
        } else if (peek().kind == TokenKind::Identifier) {
            result.name = take().text;
            if (result.name == "_") result.kind = OperandKind::Sink;
            if (peek().kind == TokenKind::Dot) result.component = take().text;
            if (takeIf('|')) result.second = identifier("a predicate");
            result.offset = addends();
        } else {
            result = number();
        }
        return result;
    }

    std::vector<Token> tokens_;
    std::size_t position_ = 0;
    int depth_ = 0;
    ModuleSyntax module_;
    FunctionSyntax* function_ = nullptr;
};

struct TypeFacts {
    const char* name;
    int bits;
};

constexpr TypeFacts Types[] = {{"pred", 1}, {"b8", 8},   {"b16", 16}, {"b32", 32}, {"b64", 64},   {"u8", 8},    {"u16", 16},    {"u32", 32}, {"u64", 64}, {"s8", 8},
                               {"s16", 16}, {"s32", 32}, {"s64", 64}, {"f16", 16}, {"f16x2", 32}, {"bf16", 16}, {"bf16x2", 32}, {"f32", 32}, {"f64", 64}, {"tf32", 32}};

}  // namespace

std::optional<Type> typeNamed(std::string_view name) {
    for (std::size_t i = 0; i < std::size(Types); ++i)
        if (name == Types[i].name) return static_cast<Type>(i);
    return std::nullopt;
}

const char* nameOf(Type type) { return Types[static_cast<std::size_t>(type)].name; }

const char* nameOf(Space space) {
    constexpr const char* Names[] = {"generic", "global", "shared", "local", "const", "param", "reg"};
    return Names[static_cast<std::size_t>(space)];
}

int bitsOf(Type type) { return Types[static_cast<std::size_t>(type)].bits; }
bool isFloat(Type type) { return type >= Type::F16; }
bool isSigned(Type type) { return type >= Type::S8 && type <= Type::S64; }
bool isUntyped(Type type) { return type >= Type::B8 && type <= Type::B64; }

ModuleSyntax parse(std::string_view text) { return Parser(text).run(); }

}  // namespace softcuda
