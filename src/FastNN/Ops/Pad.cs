using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>The input with elements in front of its axes and behind them, or without some at the ends.</summary>
/// <param name="Mode">What they are.</param>
/// <param name="Pads">In front and behind of the last axis, then of the one before it, and so on; negative ones cut
/// off.</param>
/// <param name="Value">The constant.</param>
internal sealed record PadOp(PadMode Mode, Sizes Pads, float Value) : Operator
{
    public override string Name => "Pad";

    public override bool KeepsFeatures(int input) => Pads.Items is not [var before, var after, ..] || (before == 0 && after == 0);

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        if (Pads.Items.Length % 2 != 0 || Pads.Items.Length > 2 * x.Rank)
        {
            throw new ShapeException(
                $"{Name}: expected two numbers for each padded axis, the last axis first, and at most {x.Rank} axes for {x}, got {Pads}.");
        }

        if (!Enum.IsDefined(Mode))
        {
            throw new ShapeException($"{Name}: expected a mode of PadMode, got {(int)Mode}.");
        }

        if (Mode == PadMode.Constant)
        {
            RequireConstant(inputs[0]);
        }

        int[] extents = x.ToArray();
        for (int i = 0; i < Pads.Items.Length; i += 2)
        {
            extents[^((i / 2) + 1)] = Extent(x, x.Rank - 1 - (i / 2), Pads.Items[i], Pads.Items[i + 1]);
        }

        return [inputs[0] with { Shape = new Shape(extents) }];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        var before = new int[x.Rank];
        for (int i = 0; i < Pads.Items.Length; i += 2)
        {
            before[^((i / 2) + 1)] = Pads.Items[i];
        }

        return new Bounds(new PadGeometry(Mode, x, outputs[0].Shape, before));
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        if (tensors.Output.Count > 0)
        {
            kernels.Indexing.PadForward(
                tensors.Inputs[0], tensors.Output, ((Bounds)tensors.Bound!).Geometry, Bits(tensors.Output.Type));
        }
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        if (tensors.InputGradients[0]!.Count > 0)
        {
            kernels.Indexing.PadBackward(
                tensors.OutputGradient!, tensors.InputGradients[0]!, ((Bounds)tensors.Bound!).Geometry, tensors.Accumulate[0]);
        }
    }

    private int Extent(Shape x, int axis, int before, int after)
    {
        int extent = x[axis];
        long padded = (long)extent + before + after;
        int most = Mode switch
        {
            PadMode.Reflect => extent - 1,
            PadMode.Circular => extent,
            PadMode.Replicate when extent == 0 => 0,
            _ => int.MaxValue,
        };
        if (Math.Max(before, after) > Math.Max(0, most))
        {
            throw new ShapeException(
                $"{Name}: expected at most {Math.Max(0, most)} elements on either side of axis {axis} of {x} in mode {Mode}, got {before} and {after}.");
        }

        // Both cut off more than there is where an end would lie behind the other.
        return padded >= 0 && padded <= int.MaxValue && -(long)before <= extent && -(long)after <= extent
            ? (int)padded
            : throw new ShapeException(
                $"{Name}: expected padding of axis {axis} of {x} that leaves 0 to {int.MaxValue} elements, got {before} and {after}.");
    }

    private void RequireConstant(TensorType x)
    {
        (double low, double high) = x.Type switch
        {
            DType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
            DType.UInt8 => (byte.MinValue, byte.MaxValue),
            DType.Int32 => (int.MinValue, int.MaxValue),
            DType.Int64 => (long.MinValue, long.MaxValue),
            DType.Bool => (0d, 1d),
            _ => (double.NegativeInfinity, double.PositiveInfinity),
        };
        if (!x.Type.IsFloat() && !(Value >= low && Value <= high && Value == MathF.Floor(Value)))
        {
            throw new ShapeException($"{Name}: expected a whole number of type {x.Type} to pad {x} with, got {Value}.");
        }
    }

    private ulong Bits(DType type) => type switch
    {
        DType.Float32 => BitConverter.SingleToUInt32Bits(Value),
        DType.Float16 => BitConverter.HalfToUInt16Bits((Half)Value),
        DType.BFloat16 => RoundedBits(Value),
        DType.Float64 => BitConverter.DoubleToUInt64Bits(Value),
        _ => (ulong)(long)Value,
    };

    /// <summary>The upper half of a float, to nearest, ties to even; NaN stays NaN.</summary>
    private static ulong RoundedBits(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (bits >> 16) | 0x40 : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    }

    /// <summary>A class, so that passes hand it on without boxing.</summary>
    private sealed record Bounds(PadGeometry Geometry);
}
