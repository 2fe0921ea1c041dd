// PTX that the tests load.
#pragma once
#include <string>

/// y[i] += a * x[i] with one parameter, a struct {y, x, a, n}; and kernels that each do one thing wrong.
inline const char* const Ptx = R"(
.version 7.0
.target sm_80
.address_size 64

.global .align 4 .u32 counter;

.visible .entry axpy(.param .align 8 .b8 axpy_param_0[24])
{
    .reg .pred %p<2>;
    .reg .b32 %r<6>;
    .reg .f32 %f<5>;
    .reg .b64 %rd<8>;
    mov.u32 %r2, %ctaid.x;
    mov.u32 %r3, %ntid.x;
    mov.u32 %r4, %tid.x;
    mad.lo.s32 %r1, %r2, %r3, %r4;
    ld.param.u32 %r5, [axpy_param_0+20];
    setp.ge.s32 %p1, %r1, %r5;
    @%p1 bra DONE;
    ld.param.f32 %f1, [axpy_param_0+16];
    ld.param.u64 %rd1, [axpy_param_0+8];
    ld.param.u64 %rd2, [axpy_param_0];
    mul.wide.s32 %rd3, %r1, 4;
    add.s64 %rd4, %rd1, %rd3;
    add.s64 %rd5, %rd2, %rd3;
    ld.global.f32 %f2, [%rd4];
    ld.global.f32 %f3, [%rd5];
    fma.rn.f32 %f4, %f1, %f2, %f3;
    st.global.f32 [%rd5], %f4;
DONE:
    ret;
}

.visible .entry store(.param .u64 store_param_0, .param .u32 store_param_1)
{
    .reg .b32 %r<2>;
    .reg .b64 %rd<2>;
    ld.param.u64 %rd1, [store_param_0];
    ld.param.u32 %r1, [store_param_1];
    st.global.u32 [%rd1], %r1;
    ret;
}

.visible .entry stop()
{
    trap;
}

.visible .entry bounded()
.maxntid 128, 1, 1
{
    ret;
}

.visible .entry sharing()
{
    .shared .align 4 .b8 buffer[16384];
    .reg .b32 %r<2>;
    mov.u32 %r1, 1;
    st.shared.u32 [buffer], %r1;
    ret;
}
)";

/// A kernel that holds so many floats at once; bounds are directives in front of its body.
inline std::string hungryKernel(int floats, const std::string& bounds = "") {
    std::string text = ".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry hungry(.param .u64 hungry_param_0)\n" + bounds + "{\n";
    text += "    .reg .f32 %f<" + std::to_string(floats + 1) + ">;\n    .reg .b64 %rd<2>;\n    ld.param.u64 %rd1, [hungry_param_0];\n";
    for (int i = 0; i < floats; ++i)
        text += "    ld.global.f32 %f" + std::to_string(i) + ", [%rd1+" + std::to_string(4 * i) + "];\n";
    for (int i = 1; i < floats; ++i) text += "    add.f32 %f0, %f0, %f" + std::to_string(i) + ";\n";
    return text + "    st.global.f32 [%rd1], %f0;\n    ret;\n}\n";
}
