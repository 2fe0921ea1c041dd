namespace FastNN.Testing;

/// <summary>
/// scale * x / (1 + |x|), written as a user writes an operator: spans for the host and, where asked for, PTX of its own for GPUs.
/// </summary>
internal sealed class ScaledSoftsign(float scale, bool withKernels) : CustomOperator
{
    public override string Name => "ScaledSoftsign";

    public override CustomCudaKernels? CudaKernels { get; } = withKernels ? new Kernels(scale) : null;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) => inputs is [{ Type: DType.Float32 }]
        ? [inputs[0]]
        : throw new ShapeException($"{Name}: expected one Float32 input, got [{string.Join(", ", inputs.ToArray())}].");

    public override bool BackwardReadsOutput(int output) => false;

    public override bool KeepsFeatures(int input) => true;

    public override void Forward(ForwardPass pass)
    {
        ReadOnlySpan<float> x = pass.Input(0);
        Span<float> y = pass.Output();
        for (int i = 0; i < x.Length; i++)
        {
            y[i] = scale * x[i] / (1 + MathF.Abs(x[i]));
        }
    }

    public override void Backward(BackwardPass pass)
    {
        ReadOnlySpan<float> x = pass.Input(0), dY = pass.OutputGradient();
        Span<float> dX = pass.InputGradient(0);
        for (int i = 0; i < x.Length; i++)
        {
            float d = 1 + MathF.Abs(x[i]);
            dX[i] += scale * dY[i] / (d * d);
        }
    }

    private sealed class Kernels(float scale) : CustomCudaKernels
    {
        private const int Threads = 128;

        // What clang writes for two kernels of three lines each.
        public override string Ptx => """
        .version 7.0
        .target sm_80
        .address_size 64
        .visible .entry scaled_softsign_forward(
            .param .u64 scaled_softsign_forward_param_0,
            .param .u64 scaled_softsign_forward_param_1,
            .param .u64 scaled_softsign_forward_param_2,
            .param .f32 scaled_softsign_forward_param_3
        )
        {
            .reg .pred     %p<2>;
            .reg .b32     %r<4>;
            .reg .f32     %f<7>;
            .reg .b64     %rd<12>;
            ld.param.u64     %rd6, [scaled_softsign_forward_param_2];
            mov.u32     %r1, %ctaid.x;
            mov.u32     %r2, %ntid.x;
            mul.wide.u32     %rd7, %r1, %r2;
            mov.u32     %r3, %tid.x;
            cvt.u64.u32     %rd8, %r3;
            add.s64     %rd3, %rd7, %rd8;
            setp.ge.s64     %p1, %rd3, %rd6;
            @%p1 bra     $L__BB0_2;
            ld.param.f32     %f1, [scaled_softsign_forward_param_3];
            ld.param.u64     %rd4, [scaled_softsign_forward_param_0];
            ld.param.u64     %rd5, [scaled_softsign_forward_param_1];
            cvta.to.global.u64     %rd1, %rd5;
            cvta.to.global.u64     %rd2, %rd4;
            shl.b64     %rd9, %rd3, 2;
            add.s64     %rd10, %rd2, %rd9;
            ld.global.f32     %f2, [%rd10];
            mul.f32     %f3, %f2, %f1;
            abs.f32     %f4, %f2;
            add.f32     %f5, %f4, 0f3F800000;
            div.rn.f32     %f6, %f3, %f5;
            add.s64     %rd11, %rd1, %rd9;
            st.global.f32     [%rd11], %f6;
        $L__BB0_2:
            ret;
        }
        .visible .entry scaled_softsign_backward(
            .param .u64 scaled_softsign_backward_param_0,
            .param .u64 scaled_softsign_backward_param_1,
            .param .u64 scaled_softsign_backward_param_2,
            .param .u64 scaled_softsign_backward_param_3,
            .param .f32 scaled_softsign_backward_param_4
        )
        {
            .reg .pred     %p<2>;
            .reg .b32     %r<4>;
            .reg .f32     %f<11>;
            .reg .b64     %rd<15>;
            ld.param.u64     %rd8, [scaled_softsign_backward_param_3];
            mov.u32     %r1, %ctaid.x;
            mov.u32     %r2, %ntid.x;
            mul.wide.u32     %rd9, %r1, %r2;
            mov.u32     %r3, %tid.x;
            cvt.u64.u32     %rd10, %r3;
            add.s64     %rd4, %rd9, %rd10;
            setp.ge.s64     %p1, %rd4, %rd8;
            @%p1 bra     $L__BB1_2;
            ld.param.f32     %f1, [scaled_softsign_backward_param_4];
            ld.param.u64     %rd5, [scaled_softsign_backward_param_0];
            ld.param.u64     %rd6, [scaled_softsign_backward_param_2];
            cvta.to.global.u64     %rd1, %rd6;
            ld.param.u64     %rd7, [scaled_softsign_backward_param_1];
            cvta.to.global.u64     %rd2, %rd7;
            cvta.to.global.u64     %rd3, %rd5;
            shl.b64     %rd11, %rd4, 2;
            add.s64     %rd12, %rd3, %rd11;
            ld.global.f32     %f2, [%rd12];
            abs.f32     %f3, %f2;
            add.f32     %f4, %f3, 0f3F800000;
            add.s64     %rd13, %rd2, %rd11;
            ld.global.f32     %f5, [%rd13];
            mul.f32     %f6, %f5, %f1;
            mul.f32     %f7, %f4, %f4;
            div.rn.f32     %f8, %f6, %f7;
            add.s64     %rd14, %rd1, %rd11;
            ld.global.f32     %f9, [%rd14];
            add.f32     %f10, %f9, %f8;
            st.global.f32     [%rd14], %f10;
        $L__BB1_2:
            ret;
        }
        """;

        public override void Forward(CudaForwardPass pass)
        {
            long count = pass.InputType(0).Shape.Count;
            pass.Launch(
                "scaled_softsign_forward", (int)((count + Threads - 1) / Threads), Threads, pass.Input(0), pass.Output(), count,
                scale);
        }

        public override void Backward(CudaBackwardPass pass)
        {
            long count = pass.InputType(0).Shape.Count;
            pass.Launch(
                "scaled_softsign_backward", (int)((count + Threads - 1) / Threads), Threads, pass.Input(0), pass.OutputGradient(),
                pass.InputGradient(0),
                count, scale);
        }
    }
}
