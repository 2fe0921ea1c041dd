using System.Globalization;

namespace FastNN.Onnx.Host;

/// <summary>How windows lie along one spatial axis.</summary>
internal readonly record struct WindowAxis(int Input, int Kernel, int Stride, int Dilation, int Before, int After, int Output)
{
    /// <summary>Where a place of a window falls; outside of 0 to Input - 1 it is padding.</summary>
    public int Place(int output, int kernel) => (output * Stride) - Before + (kernel * Dilation);
}

/// <summary>The windows of a convolution or pooling, for any number of spatial axes.</summary>
internal sealed class Windows
{
    public required WindowAxis[] Axes { get; init; }

    public int InputCount => Shapes.Product(Array.ConvertAll(Axes, axis => axis.Input));

    public int KernelCount => Shapes.Product(KernelDims);

    public int OutputCount => Shapes.Product(OutputDims);

    public int[] KernelDims => Array.ConvertAll(Axes, axis => axis.Kernel);

    public int[] OutputDims => Array.ConvertAll(Axes, axis => axis.Output);

    /// <summary>The windows that a node's attributes ask for over spatial extents.</summary>
    /// <param name="call">The node.</param>
    /// <param name="inputs">The spatial extents.</param>
    /// <param name="kernel">Those of a window.</param>
    /// <param name="isPooling">Whether extents may be rounded up, and windows be larger than what they lie over.</param>
    public static Windows Of(HostCall call, ReadOnlySpan<int> inputs, ReadOnlySpan<int> kernel, bool isPooling = false)
    {
        bool ceil = isPooling && call.Flag("ceil_mode");
        int rank = inputs.Length;
        long[] strides = List(call, "strides", rank, 1), dilations = List(call, "dilations", rank, 1);
        long[] pads = List(call, "pads", 2 * rank, 0);
        string auto = call.Text("auto_pad", "NOTSET");
        var axes = new WindowAxis[rank];
        for (int i = 0; i < rank; i++)
        {
            int stride = Positive(call, strides[i], "strides"), dilation = Positive(call, dilations[i], "dilations");
            long span = ((long)(kernel[i] - 1) * dilation) + 1, before = pads[i], after = pads[rank + i], output;
            switch (auto)
            {
                case "SAME_UPPER" or "SAME_LOWER":
                    output = (inputs[i] + stride - 1) / stride;
                    long total = Math.Max(0, ((output - 1) * stride) + span - inputs[i]);
                    before = auto == "SAME_UPPER" ? total / 2 : total - (total / 2);
                    after = total - before;
                    break;
                case "VALID":
                    (before, after) = (0, 0);
                    goto default;
                default:
                    long room = inputs[i] + before + after - span;

                    // A pooling of a window that is larger than all there is has a place where less than a stride is missing:
                    // rounded up, and in the standard's shape inference and ONNX Runtime otherwise too, which cut -1 / 2 to 0
                    // where the text rounds it down.
                    output = room >= 0 ? (room / stride) + 1 : isPooling && room > -stride ? 1 : 0;
                    if (ceil && room >= 0 && room % stride != 0 && output * stride < inputs[i] + before)
                    {
                        // A window that would begin in the padding behind the input does not count.
                        output++;
                    }

                    break;
            }

            axes[i] = new WindowAxis(inputs[i], kernel[i], stride, dilation, checked((int)before), checked((int)after),
                checked((int)output));
        }

        return new Windows { Axes = axes };
    }

    /// <summary>
    /// The same windows for the engine, which has none that are larger than the input with its padding: such a window is cut to
    /// the input. Null where that would be another pooling.
    /// </summary>
    /// <param name="countsPadding">Whether averages count the padding.</param>
    public Windows? Inside(bool countsPadding)
    {
        static bool IsLarger(WindowAxis axis) =>
            ((axis.Kernel - 1L) * axis.Dilation) + 1 > (long)axis.Input + axis.Before + axis.After;
        return Array.Exists(Axes, axis => IsLarger(axis)
                && (axis.Dilation != 1 || (countsPadding && (axis.Before > 0 || axis.After > 0))))
            ? null
            : new Windows
            {
                Axes = Array.ConvertAll(Axes, axis => IsLarger(axis)
                    ? axis with { Kernel = axis.Input, Stride = 1, Before = 0, After = 0 }
                    : axis),
            };
    }

    /// <summary>For every place of a kernel and every output, in this order, the input's place, or -1 for padding.</summary>
    public int[] Places()
    {
        int[] kernelDims = KernelDims, outputDims = OutputDims,
            inputStrides = Shapes.Strides(Array.ConvertAll(Axes, axis => axis.Input));
        int kernels = KernelCount, outputs = OutputCount;
        var places = new int[checked(kernels * outputs)];
        int[] kernelStrides = Shapes.Strides(kernelDims), outputStrides = Shapes.Strides(outputDims);
        for (int k = 0, at = 0; k < kernels; k++)
        {
            for (int o = 0; o < outputs; o++, at++)
            {
                int place = 0;
                for (int axis = 0; axis < Axes.Length; axis++)
                {
                    int p = Axes[axis].Place(o / outputStrides[axis] % outputDims[axis], k
                        / kernelStrides[axis] % kernelDims[axis]);
                    if (p < 0 || p >= Axes[axis].Input)
                    {
                        place = -1;
                        break;
                    }

                    place += p * inputStrides[axis];
                }

                places[at] = place;
            }
        }

        return places;
    }

    public static long[] List(HostCall call, string name, int count, long otherwise)
    {
        long[]? list = call.Ints(name);
        if (list is null or [])
        {
            list = new long[count];
            Array.Fill(list, otherwise);
        }

        return list.Length == count
            ? list
            : throw call.Error(string.Create(CultureInfo.InvariantCulture, $"{count} numbers in '{name}'"), Layout.Join(list));
    }

    private static int Positive(HostCall call, long value, string name) =>
        value is > 0 and <= int.MaxValue ? (int)value
            : throw call.Error($"positive {name}", string.Create(CultureInfo.InvariantCulture, $"{value}"));
}
