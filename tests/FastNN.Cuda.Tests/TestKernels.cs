using System.Runtime.InteropServices;
using System.Text;

namespace FastNN.Cuda.Tests;

/// <summary>Kernels written by hand, so that the device's core has tests of its own, whatever kernels/ holds.</summary>
internal static class TestKernels
{
    public const string Family = "test";

    /// <summary>Adds 1 to the first so many integers; one more than there are is out of bounds.</summary>
    public const string Increment = "increment";

    /// <summary>Writes the dynamic shared memory's size to the first integer.</summary>
    public const string SharedSize = "shared_size";

    public const string Text = """
        .version 7.0
        .target sm_80
        .address_size 64

        .visible .entry increment(
        	.param .align 8 .b8 increment_param_0[16]
        )
        {
        	.reg .pred %p<2>;
        	.reg .b32 %r<8>;
        	.reg .b64 %rd<5>;
        	ld.param.u64 %rd1, [increment_param_0];
        	ld.param.u32 %r1, [increment_param_0+8];
        	mov.u32 %r2, %ctaid.x;
        	mov.u32 %r3, %ntid.x;
        	mov.u32 %r4, %tid.x;
        	mad.lo.s32 %r5, %r2, %r3, %r4;
        	setp.ge.s32 %p1, %r5, %r1;
        	@%p1 bra $L__BB0_2;
        	cvta.to.global.u64 %rd2, %rd1;
        	mul.wide.s32 %rd3, %r5, 4;
        	add.s64 %rd4, %rd2, %rd3;
        	ld.global.u32 %r6, [%rd4];
        	add.s32 %r7, %r6, 1;
        	st.global.u32 [%rd4], %r7;
        $L__BB0_2:
        	ret;
        }

        .visible .entry shared_size(
        	.param .align 8 .b8 shared_size_param_0[16]
        )
        {
        	.reg .b32 %r<2>;
        	.reg .b64 %rd<3>;
        	ld.param.u64 %rd1, [shared_size_param_0];
        	cvta.to.global.u64 %rd2, %rd1;
        	mov.u32 %r1, %dynamic_smem_size;
        	st.global.u32 [%rd2], %r1;
        	ret;
        }
        """;

    public static KernelSource Source { get; } = Of(Text);

    public static KernelSource Of(string text) =>
        new(new Dictionary<string, Func<byte[]>> { [Family] = () => Encoding.UTF8.GetBytes(text) });

    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct Arguments(nint Values, int Count);
}
