// Modules that must be refused, with the line that is wrong, and unusual ones that must be taken.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

/// Loads a module that is wrong on the line that holds "// wrong"; without such a line, only that it is refused.
void refused(const char* what, const std::string& text) {
    Bench bench(text);
    if (!expect(!bench.loaded(), "%s: taken", what)) return;
    expect(!bench.error.message.empty(), "%s: no message", what);
    if (text.find("// wrong") == std::string::npos) return;
    int line = bench.lineOf("// wrong");
    expect(bench.error.line == line, "%s: line %d, expected %d (%s: %s)", what, bench.error.line, line, bench.error.text.c_str(), bench.error.message.c_str());
    expect(bench.error.text.find("// wrong") != std::string::npos, "%s: the line's text is '%s'", what, bench.error.text.c_str());
    // Nothing of it stays in memory.
    expect(bench.memory.liveBlocks() == 0, "%s: %zu blocks of memory are left", what, bench.memory.liveBlocks());
}

/// A body within a kernel whose other lines are right.
void refusedBody(const char* what, const std::string& body) {
    refused(what, header() + kernel("k", "u64 out", "add.u32 %r0, %lane, 1;\n" + body + " // wrong\nadd.u32 %r0, %r0, 1;\n"));
}

void instructions() {
    const char* const wrong[][2] = {
        {"an unknown instruction", "frobnicate.s32 %r0, %r1, %r2;"},
        {"an instruction with a letter too many", "addd.s32 %r0, %r1, %r2;"},
        {"an unknown modifier", "add.wild.s32 %r0, %r1, %r2;"},
        {"a modifier of another instruction", "add.wide.s32 %r0, %r1, %r2;"},
        {"a modifier of another type", "add.sat.u32 %r0, %r1, %r2;"},
        {"a rounding mode for integers", "add.rn.s32 %r0, %r1, %r2;"},
        {"flushing for doubles", "add.ftz.f64 %d0, %d1, %d2;"},
        {"an unknown type", "add.s33 %r0, %r1, %r2;"},
        {"a type that the instruction lacks", "add.b32 %r0, %r1, %r2;"},
        {"an 8-bit addition", "add.u8 %h0, %h1, %h2;"},
        {"no type", "add %r0, %r1, %r2;"},
        {"two types", "add.s32.s32 %r0, %r1, %r2;"},
        {"mul without lo, hi or wide", "mul.s32 %r0, %r1, %r2;"},
        {"div.f32 without a kind", "div.f32 %f0, %f1, %f2;"},
        {"sqrt without a kind", "sqrt.f32 %f0, %f1;"},
        {"fma without rounding", "fma.f32 %f0, %f1, %f2, %f3;"},
        {"a narrowing conversion without rounding", "cvt.f32.f64 %f0, %d0;"},
        {"float to integer without integer rounding", "cvt.s32.f32 %r0, %f0;"},
        {"float rounding where an integer one belongs", "cvt.rn.s32.f32 %r0, %f0;"},
        {"a comparison that is none", "setp.is.s32 %p0, %r1, %r2;"},
        {"an unordered comparison of integers", "setp.equ.s32 %p0, %r1, %r2;"},
        {"an order among bits", "setp.lt.b32 %p0, %r1, %r2;"},
        {"lo for signed values", "setp.lo.s32 %p0, %r1, %r2;"},
        {"an undeclared register", "add.s32 %r0, %r1, %missing;"},
        {"a register beyond its range", "add.s32 %r0, %r1, %r64;"},
        {"an undeclared destination", "mov.u32 %nothing, 1;"},
        {"a missing label", "bra NOWHERE;"},
        {"a guard that is no predicate", "@%r0 add.s32 %r0, %r1, %r2;"},
        {"an undeclared guard", "@%q add.s32 %r0, %r1, %r2;"},
        {"too few operands", "add.s32 %r0, %r1;"},
        {"too many operands", "add.s32 %r0, %r1, %r2, %r3;"},
        {"no operands", "add.s32;"},
        {"a float register for integers", "add.s32 %r0, %f1, %r2;"},
        {"an integer register typed for a float", "add.f32 %f0, %u1, %f2;"},
        {"64 bits for 32", "add.s32 %r0, %rd1, %r2;"},
        {"32 bits for 64", "add.s64 %rd0, %rd1, %r2;"},
        {"16 bits for 32", "add.u32 %r0, %h1, %r2;"},
        {"a predicate for data", "add.s32 %r0, %p1, %r2;"},
        {"data for a predicate", "and.pred %p0, %p1, %r2;"},
        {"a number as destination", "add.s32 5, %r1, %r2;"},
        {"a float literal for an integer", "add.s32 %r0, %r1, 0f3F800000;"},
        {"a float literal with too few digits", "mov.f32 %f0, 0f3F8;"},
        {"a store to constants", "st.const.u32 [%rd0], %r0;"},
        {"a load from no space there is", "ld.moon.u32 %r0, [%rd0];"},
        {"a load without its type", "ld.global %r0, [%rd0];"},
        {"a load without brackets", "ld.global.u32 %r0, %rd0;"},
        {"a load into a narrower register", "ld.global.u32 %h0, [%rd0];"},
        {"a vector of three", "ld.global.v3.u32 {%r0, %r1, %r2}, [%rd0];"},
        {"a vector of 32 bytes", "ld.global.v4.u64 {%rd0, %rd1, %rd2, %rd3}, [%rd4];"},
        {"a vector with too few registers", "ld.global.v4.u32 {%r0, %r1, %r2}, [%rd0];"},
        {"an atomic without an operator", "atom.global.u32 %r0, [%rd0], %r1;"},
        {"an atomic of the wrong type", "atom.global.and.f32 %f0, [%rd0], %f1;"},
        {"an atomic on constants", "atom.const.add.u32 %r0, [%rd0], 1;"},
        {"a shuffle that is not .sync", "shfl.idx.b32 %r0, %r1, 0, 31;"},
        {"a shuffle of 64 bits", "shfl.sync.idx.b64 %rd0, %rd1, 0, 31, -1;"},
        {"a shuffle mode that is none", "shfl.sync.left.b32 %r0, %r1, 0, 31, -1;"},
        {"an unknown special register", "mov.u32 %r0, %tidy.x;"},
        {"an unknown component", "mov.u32 %r0, %tid.q;"},
        {"a write to a special register", "mov.u32 %tid.x, 1;"},
        {"a call of nothing", "call.uni nothing;"},
        {"an unknown symbol", "mov.u64 %rd0, nothing;"},
        {"an unknown parameter", "ld.param.u32 %r0, [k_none];"},
        {"a lop3 without its table", "lop3.b32 %r0, %r1, %r2, %r3;"},
        {"an unknown product shape", "mma.sync.aligned.m17n8k8.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, %f3}, {%r0, %r1}, {%r2}, {%f0, %f1, %f2, %f3};"},
        {"an unknown mode of prmt", "prmt.b32.xyz %r0, %r1, %r2, %r3;"},
        {"a stray character", "add.s32 %r0, %r1, %r2 ?;"},
        {"a stray brace", "} }"},
        {"a declaration of an unknown type", ".reg .b33 %x;"},
        {"a register declared twice", ".reg .b32 %r0;"},
        {"an unknown directive in a body", ".frob 1;"},
    };
    for (const auto& it : wrong) {
        std::string declare = std::strstr(it[1], "%u1") ? ".reg .u32 %u1; " : "";
        refusedBody(it[0], declare + it[1]);
    }
    // Without its semicolon an instruction goes on, on the next line.
    refused("a missing semicolon", header() + kernel("k", "u64 out", "add.u32 %r0, %lane, 1\nadd.u32 %r0, %r0, 1;\n"));
    refused("a label twice", header() + kernel("k", "u64 out", "HERE: add.u32 %r0, %lane, 1;\nHERE: add.u32 %r0, %r0, 1; // wrong\nbra HERE;"));
    refused("a missing target in a table", header() + kernel("k", "u64 out", "mov.u32 %r0, 0;\nT: .branchtargets A, B; // wrong\nbrx.idx %r0, T;\nA: add.u32 %r0, %lane, 1;"));
}

void modules() {
    const std::string body = ".visible .entry k()\n{ ret; }\n";
    refused("an empty text", "");
    refused("no PTX at all", "Lorem ipsum dolor sit amet\n");
    refused("no version", ".target sm_80\n.address_size 64\n" + body);
    refused("a version that is no number", ".version seven // wrong\n.target sm_80\n.address_size 64\n" + body);
    refused("no target", ".version 7.0\n.address_size 64\n" + body);
    refused("a target that is none", ".version 7.0\n.target abacus // wrong\n.address_size 64\n" + body);
    refused("an unknown directive", header() + ".frob 17 // wrong\n" + body);
    refused("an unknown directive of a kernel", header() + ".visible .entry k()\n.frob 17 // wrong\n{ ret; }\n");
    refused("a kernel twice", header() + body + ".visible .entry k() // wrong\n{ ret; }\n");
    refused("a kernel without an end", header() + ".visible .entry k()\n{ ret;\n");
    refused("a parenthesis without an end", header() + ".visible .entry k(.param .u64 a\n{ ret; }\n");
    refused("a comment without an end", header() + body + "/* and so on\n");
    refused("a variable twice", header() + ".global .u32 a;\n.global .u32 a; // wrong\n" + body);
    refused("more values than elements", header() + ".global .u32 a[2] = {1, 2, 3}; // wrong\n" + body);
    refused("a variable of an unknown type", header() + ".global .u31 a; // wrong\n" + body);
    refused("an address of nothing as a value", header() + ".global .u64 a = nothing; // wrong\n" + body);
    refused("an alignment that is no power of two", header() + ".global .align 3 .b8 a[4]; // wrong\n" + body);
    refused("a parameter of an unknown type", header() + ".visible .entry k(.param .u63 a) // wrong\n{ ret; }\n");
    refused("a closing brace too many", header() + body + "} // wrong\n");
    refused("initialised shared memory", header() + ".shared .u32 a = 1; // wrong\n" + body);
    refused("a function that is declared, called and never defined",
            header() + ".extern .func gone();\n.visible .entry k()\n{ call.uni gone, (); ret; }\n");
}

/// Grammar that compilers write beside instructions, and what people may write.
void unusual() {
    std::string text = "//\n// a header\n//\n\n.version 7.0\n.target sm_80, debug\n.address_size 64\n\n"
        "\t// .globl\tnamed\n"
        ".file\t1 \"/some where/a file.cu\"\n"
        ".extern .shared .align 16 .b8 dynamic[];\n"
        ".global .align 1 .b8 name[6] = {104, 101, 108, 108, 111};\n"
        "/* a comment\n over lines */\n"
        ".func  (.param .b32 func_retval0) helper$1(.param .b32 helper_param_0);\n"
        ".visible .entry _Z5namedPfi(\n\t.param .u64 _Z5namedPfi_param_0,\n\t.param .u32 _Z5namedPfi_param_1\n)\n"
        ".maxntid 128, 1, 1\n.minnctapersm 2\n.maxnreg 64\n"
        "{\n\t.reg .pred \t%p<3>;\n\t.reg .b32 \t%r<9>;\n\t.reg .b64 \t%rd<6>;\n\t.reg .f32 plain, %plain2;\n\t.loc\t1 12 3\n"
        "// %bb.0:                               // %entry\n"
        "\tld.param.u64 \t%rd1, [_Z5namedPfi_param_0];\n\tld.param.u32 \t%r1, [_Z5namedPfi_param_1];\n\tcvta.to.global.u64 \t%rd2, %rd1;\n"
        "\tmov.u32 \t%r2, %tid.x;\n\tsetp.ge.s32 \t%p1, %r2, %r1;\n\t@%p1 bra \t$L__BB0_2;\n\tbra.uni \t$L__BB0_1;\n"
        "$L__BB0_1:                              // %if.then\n\t.pragma \"nounroll\";\n"
        "\tmul.wide.s32 \t%rd3, %r2, 4;\n\tadd.s64 \t%rd4, %rd2, %rd3;\n\t{ // callseq 0, 0\n\t.reg .b32 temp_param_reg;\n\t.param .b32 param0;\n\tst.param.b32 \t[param0+0], %r2;\n"
        "\t.param .b32 retval0;\n\tcall.uni (retval0), \n\thelper$1, \n\t(\n\tparam0\n\t);\n\tld.param.b32 \t%r3, [retval0+0];\n\t} // callseq 0\n"
        "\t// begin inline asm\n\t{ .reg .b32 t; add.u32 t, %r3, 1; mov.u32 %r4, t; }\n\t// end inline asm\n"
        "\tmov.f32 plain, 0f00000000; mov.f32 %plain2, plain;\n\tst.global.u32 \t[%rd4], %r4;\n$L__BB0_2:\n\tret;\n                                        // -- End function\n}\n"
        ".func  (.param .b32 func_retval0) helper$1(\n\t.param .b32 helper_param_0\n)\n{\n\t.reg .b32 \t%r<3>;\n\tld.param.u32 \t%r1, [helper_param_0];\n\tmul.lo.s32 \t%r2, %r1, 10;\n"
        "\tst.param.b32 \t[func_retval0+0], %r2;\n\tret;\n}\n"
        ".section\t.debug_abbrev\n\t{\n.b8 1\n.b8 17\n.b32 0x1234\n\t}\n";
    Bench bench(text);
    if (!expect(bench.loaded(), "refused: line %d (%s): %s", bench.error.line, bench.error.text.c_str(), bench.error.message.c_str())) return;
    u64 out = bench.allocate(4 * 64);
    if (!bench.clean("_Z5namedPfi", {}, {64}, 0, out, u32{50})) return;
    std::vector<u32> got = bench.download<u32>(out, 50);
    for (u32 i = 0; i < 50; ++i) expect(got[i] == 10 * i + 1, "element %u is %u", i, got[i]);
    u64 address = 0, bytes = 0;
    expect(findGlobal(*bench.module, "name", address, bytes) && bytes == 6 && !std::memcmp(bench.memory.host(address), "hello", 6), "a string of bytes");
    // Scopes hide what is around them.
    Bench scopes(header() + kernel("scopes", "u64 out", R"(.reg .b32 %x; mov.u32 %x, 1; { .reg .b32 %x; mov.u32 %x, 2; { .reg .b64 %x; mov.u64 %x, 3; } add.u32 %x, %x, 5; st.global.u32 [%out], %x; }
        st.global.u32 [%out+4], %x;)"));
    u64 two = scopes.allocate(8);
    if (scopes.clean("scopes", {}, {1}, 0, two)) {
        std::vector<u32> values = scopes.download<u32>(two, 2);
        expect(values[0] == 7 && values[1] == 1, "scopes: %u %u", values[0], values[1]);
    }
    // A module gives its variables back when it goes.
    {
        Bench variables(header() + ".global .u32 a[100];\n.const .u32 b = 5;\n" + kernel("k", "u64 out", ""));
        expect(variables.memory.liveBlocks() > 0, "variables take memory");
        variables.module.reset();
        expect(variables.memory.liveBlocks() == 0, "%zu blocks are left", variables.memory.liveBlocks());
    }
}

}  // namespace

int main() {
    instructions();
    modules();
    unusual();
    return finish("parser");
}
