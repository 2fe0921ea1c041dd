using FastNN.Kernels;
using FastNN.Ops;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>
/// Windows over volumes [N, D, H, W, C] that a table describes: interpolation, bins, poolings of three axes. Sums are products
/// with a matrix along each axis, maxima poolings where windows are regular.
/// </summary>
internal static class BandExports
{
    /// <summary>Of one axis: what each output reads.</summary>
    private sealed record Band(int Input, int Step, (int First, float[] Weights)[] Rows)
    {
        public int Output => Rows.Length;

        public bool IsIdentity => Input == Output
            && Rows.Select((row, i) => row.First == i && row.Weights is [1f]).All(same => same);

        /// <summary>Whether each output is one element of the input.</summary>
        public bool IsPick => Array.TrueForAll(Rows, row => row.Weights is [1f]);

        public static Band Of(BandAxis axis, int[] table)
        {
            var rows = new (int First, float[] Weights)[axis.Output];
            for (int i = 0; i < rows.Length; i++)
            {
                int at = axis.Forward.Offset + (i * axis.Forward.Stride);
                var weights = new float[table[at + 1]];
                for (int k = 0; k < weights.Length; k++)
                {
                    weights[k] = axis.Forward.Taps == 0 ? 1 : BitConverter.Int32BitsToSingle(table[at + 2 + k]);
                }

                rows[i] = (table[at], weights);
            }

            return new Band(axis.Input, axis.Step, rows);
        }
    }

    public static void Sum(ExportCall call)
    {
        var op = (WindowSumOp)call.Op;
        Band[] bands = Bands(call, op.Depth, op.Vertical, op.Horizontal);
        string y = call.X.First;
        for (int axis = 0; axis < 3; axis++)
        {
            Band band = bands[axis];
            if (band.IsPick)
            {
                y = Pick(call.Emit, y, axis, band);
                continue;
            }

            var matrix = new float[band.Output * band.Input];
            for (int i = 0; i < band.Output; i++)
            {
                for (int k = 0; k < band.Rows[i].Weights.Length; k++)
                {
                    matrix[(i * band.Input) + band.Rows[i].First + (k * band.Step)] = band.Rows[i].Weights[k];
                }
            }

            y = Multiply(call, y, axis, bands, matrix);
        }

        call.First(y);
    }

    public static void Max(ExportCall call)
    {
        var op = (WindowMaxOp)call.Op;
        Band[] bands = Bands(call, op.Depth, op.Vertical, op.Horizontal);
        WindowAxis?[] axes = Array.ConvertAll(bands, Regular);
        bool indexed = call.Wants(1);
        if (Array.TrueForAll(axes, axis => axis is not null))
        {
            WindowAxis[] windows = Array.ConvertAll(axes, axis => axis!.Value);
            string[] outputs = call.Emit.AddMany(
                "MaxPool", [call.X.First], indexed ? 2 : 1,
                Attribute("kernel_shape", windows.Select(axis => (long)axis.Taps)),
                Attribute("strides", windows.Select(axis => (long)axis.Stride)),
                Attribute("dilations", windows.Select(axis => (long)axis.Dilation)),
                ConvolutionExports.Pads([.. windows.Select(axis => (axis.PadBefore, PoolingExports.Behind(axis)))]));
            call.First(outputs[0]);
            if (indexed)
            {
                // ONNX counts over the whole tensor, the engine in the volume of a channel.
                long volume = (long)bands[0].Input * bands[1].Input * bands[2].Input;
                call.First(
                    call.Emit.Cast(call.Emit.Op("Mod", outputs[1], call.Emit.Long(volume)), OnnxElementType.Int32), 1);
            }

            return;
        }

        if (indexed)
        {
            throw call.Refuse("ONNX has positions of maxima in windows of one size alone");
        }

        string y = call.X.First;
        for (int axis = 0; axis < 3; axis++)
        {
            Band band = bands[axis];
            y = band.IsPick ? Pick(call.Emit, y, axis, band) : Largest(call.Emit, y, axis, band);
        }

        call.First(y);
    }

    private static Band[] Bands(ExportCall call, BandAxis depth, BandAxis vertical, BandAxis horizontal)
    {
        int[] table = call.Input(1).Constant!.Int32s;
        return [Band.Of(depth, table), Band.Of(vertical, table), Band.Of(horizontal, table)];
    }

    private static string Pick(Emitter e, string x, int axis, Band band) => band.IsIdentity
        ? x
        : e.Add("Gather", [x, e.Longs([.. band.Rows.Select(row => (long)row.First)])], Attribute("axis", axis + 2));

    /// <summary>A matrix [out, in] times one of the axes of [N, C, D, H, W].</summary>
    private static string Multiply(ExportCall call, string x, int axis, Band[] bands, float[] matrix)
    {
        Emitter e = call.Emit;
        (int to, int from) = (bands[axis].Output, bands[axis].Input);
        if (axis == 2)
        {
            var turned = new float[matrix.Length];
            for (int i = 0; i < matrix.Length; i++)
            {
                turned[((i % from) * to) + (i / from)] = matrix[i];
            }

            return e.Op("MatMul", x, e.Floats(turned, from, to));
        }

        string weights = e.Floats(matrix, to, from);
        if (axis == 1)
        {
            return e.Op("MatMul", weights, x);
        }

        // Planes are rows of one matrix each.
        string planes = e.Op("Reshape", x, e.Longs(0, 0, from, (long)bands[1].Input * bands[2].Input));
        return e.Op("Reshape", e.Op("MatMul", weights, planes), e.Longs(0, 0, to, bands[1].Input, bands[2].Input));
    }

    /// <summary>The elements of each window beside each other, the shorter ones with their first again.</summary>
    private static string Largest(Emitter e, string x, int axis, Band band)
    {
        int taps = band.Rows.Max(row => row.Weights.Length);
        var places = new long[band.Output * taps];
        for (int i = 0; i < places.Length; i++)
        {
            (int first, float[] weights) = band.Rows[i / taps];
            places[i] = first + ((i % taps < weights.Length ? i % taps : 0) * band.Step);
        }

        string indices = e.Op("Reshape", e.Longs(places), e.Longs(band.Output, taps));
        return e.Reduce("ReduceMax", e.Add("Gather", [x, indices], Attribute("axis", axis + 2)), [axis + 3], keepDims: false);
    }

    /// <summary>The windows of one size and stride that the rows are, or null.</summary>
    private static WindowAxis? Regular(Band band)
    {
        int taps = band.Rows.Max(row => row.Weights.Length), step = band.Step;
        int[] starts = [.. band.Rows.Take(2).Select(row => row.First - ((taps - row.Weights.Length) * step))];

        // A window that is cut may be so in front or behind.
        foreach (int second in new[] { starts[^1], band.Rows[starts.Length - 1].First })
        {
            int stride = band.Output == 1 ? 1 : second - starts[0], before = -starts[0];
            int extent = ((taps - 1) * step) + 1;
            if (stride <= 0 || before < 0 || before >= taps)
            {
                continue;
            }

            int after = Math.Max(0, ((band.Output - 1) * stride) + extent - band.Input - before);
            if (after >= taps)
            {
                continue;
            }

            WindowAxis axis = WindowAxis.Create("MaxPool", "axis", band.Input, taps, stride, step, before, after);
            if (axis.Output == band.Output && band.Rows.Select((row, i) =>
            {
                (int first, int end) = axis.ValidTaps(i);
                return row.First == axis.Start(i) + (first * step) && row.Weights.Length == end - first;
            }).All(same => same))
            {
                return axis;
            }
        }

        return null;
    }
}
