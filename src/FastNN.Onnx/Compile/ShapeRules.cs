using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>Operators that move elements. Shapes are known while recording, so what an attribute leaves open is settled
/// here.</summary>
internal static class ShapeRules
{
    public static Traced?[]? Identity(TraceCall call) => [call.TracedInput(0)];

    public static Traced?[]? Dropout(TraceCall call) => call.Has(2) || call.Host.Wants(1) ? null : [call.TracedInput(0)];

    /// <summary>Reshape, Flatten, Squeeze and Unsqueeze: the host says what the shape is.</summary>
    public static Traced?[]? Reshape(TraceCall call)
    {
        if (call.TracedInput(0) is not { } x || call.TracedInput(1) is not null)
        {
            return null;
        }

        int[] dims = HostShape(call, x);
        if (dims.Length > Shape.MaxRank)
        {
            return null;
        }

        // With one place per image the order of channels and places does not matter.
        bool single = x.IsLast && x.Dims.AsSpan(2).IndexOfAnyExcept(1) < 0;
        if (x.IsLast && !single && dims.Length == 2 && dims[0] == x.Dims[0])
        {
            return [Traced.OfRows(x, dims)];
        }

        return [Traced.OfPlain((single ? x.Either : x.Plain).Reshape(new Shape(dims)), x.Type, dims)];
    }

    /// <summary>The shape of a node's first output, which the host's kernel computes of a tensor of that shape without elements'
    /// values mattering.</summary>
    private static int[] HostShape(TraceCall call, Traced x)
    {
        var stand = OnnxTensor.Zeros(OnnxElementType.Bool, x.Dims);
        return ((OnnxTensor)call.Host.With(0, stand).Rerun()[0]!).Dims;
    }

    public static Traced?[]? Transpose(TraceCall call)
    {
        if (call.TracedInput(0) is not { } x)
        {
            return null;
        }

        int[] axes = [.. (call.Host.Ints("perm") ?? [.. Enumerable.Range(0, x.Rank).Reverse().Select(axis => (long)axis)])
            .Select(axis => call.Host.Axis(axis, x.Rank))];
        int[] dims = Array.ConvertAll(axes, axis => x.Dims[axis]);
        if (x.IsLast)
        {
            int[] inside = Array.ConvertAll(axes, x.Inside);
            bool nothing = inside.SequenceEqual(Enumerable.Range(0, x.Rank));
            return [Traced.OfPlain(nothing ? x.Either : x.Either.Permute(inside), x.Type, dims)];
        }

        // What brings the channels to their place in front lies as it did, with the channels last.
        return x.Rank >= 3 && axes.AsSpan().SequenceEqual(Traced.ToFirst(x.Rank))
            ? [Traced.OfLast(x.Plain, x.Type, dims)]
            : [Traced.OfPlain(x.Plain.Permute(axes), x.Type, dims)];
    }

    public static Traced?[]? Concat(TraceCall call)
    {
        var parts = new List<Traced>();
        for (int i = 0; i < call.InputCount; i++)
        {
            // A part without elements changes nothing.
            if (call.Constant(i) is not { Count: 0 })
            {
                if (call.Input(i) is not { } part)
                {
                    return null;
                }

                parts.Add(part);
            }
        }

        int axis = call.Host.Axis(call.Host.Int("axis", 1), parts[0].Rank);
        int[] dims = (int[])parts[0].Dims.Clone();
        dims[axis] = parts.Sum(part => part.Dims[axis]);
        bool last = parts.Exists(part => part.IsLast);
        if (parts.Exists(part => part.Type != parts[0].Type))
        {
            return null;
        }

        if (parts is [var only])
        {
            return [only];
        }

        Value[] values = [.. parts.Select(part => last ? part.Last : part.Plain)];
        Traced like = last ? Traced.OfLast(values[0], parts[0].Type, parts[0].Dims) : parts[0];
        Value joined = Operators.Concat(like.Inside(axis), values);
        return [last ? Traced.OfLast(joined, like.Type, dims) : Traced.OfPlain(joined, like.Type, dims)];
    }

    public static Traced?[]? Split(TraceCall call)
    {
        if (call.TracedInput(0) is not { } x || call.TracedInput(1) is not null)
        {
            return null;
        }

        int axis = call.Host.Axis(call.Host.Int("axis", 0), x.Rank);
        OnnxValue?[] shapes = call.Host.With(0, OnnxTensor.Zeros(OnnxElementType.Bool, x.Dims)).Rerun();
        int[] sizes = [.. shapes.Select(part => ((OnnxTensor)part!).Dims[axis])];
        if (Array.IndexOf(sizes, 0) >= 0)
        {
            return null;
        }

        Value[] parts = x.Either.Split(x.Inside(axis), sizes);
        return [.. parts.Select((part, i) =>
        {
            int[] dims = (int[])x.Dims.Clone();
            dims[axis] = sizes[i];
            return x.IsLast ? Traced.OfLast(part, x.Type, dims) : Traced.OfPlain(part, x.Type, dims);
        })];
    }

    public static Traced?[]? Slice(TraceCall call)
    {
        if (call.TracedInput(0) is not { } x || Enumerable.Range(1, 4).Any(i => call.TracedInput(i) is not null))
        {
            return null;
        }

        long[] starts = call.Longs(1, "starts")!, ends = call.Longs(2, "ends")!;
        long[] axes = call.Longs(3, "axes") ?? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
        long[] steps = call.Host.Longs(4) ?? [.. starts.Select(_ => 1L)];
        Value value = x.Either;
        int[] dims = (int[])x.Dims.Clone();
        for (int i = 0; i < starts.Length; i++)
        {
            int axis = call.Host.Axis(axes[i], x.Rank);
            if (Layout.IsWhole(starts[i], ends[i], steps[i]))
            {
                continue;
            }

            if (steps[i] is 0 or < -int.MaxValue or > int.MaxValue)
            {
                return null;
            }

            (long start, long step, int count) = Layout.Range(call.Host, dims[axis], starts[i], ends[i], steps[i]);
            if (count == 0)
            {
                return null;
            }

            if (count != dims[axis] || step != 1)
            {
                long stop = start + (step * (count - 1)) + Math.Sign(step);
                value = value.Slice(x.Inside(axis), (int)start, stop < 0 ? null : (int)stop, (int)step);
                dims[axis] = count;
            }
        }

        return [x.IsLast ? Traced.OfLast(value, x.Type, dims) : Traced.OfPlain(value, x.Type, dims)];
    }

    /// <summary>What Slice leaves where it leaves nothing, such as the part that a roll by 0 moves; null where it leaves
    /// something, or an extent of the tensor is open.</summary>
    public static OnnxTensor? EmptySlice(TraceCall call)
    {
        if (call.TracedInput(0) is not { } x || Array.Exists(x.Dims, extent => Dim.IsSymbol(extent))
            || Enumerable.Range(1, 4).Any(i => call.TracedInput(i) is not null))
        {
            return null;
        }

        int[] dims = HostShape(call, x);
        return Array.IndexOf(dims, 0) >= 0 ? OnnxTensor.Zeros(x.Type, dims) : null;
    }

    public static Traced?[]? Expand(TraceCall call)
    {
        if (call.TracedInput(0) is not { } x || call.Host.Longs(1) is not { } shape)
        {
            return null;
        }

        int[] dims = Shapes.Broadcast(call.Host, x.Dims, Shapes.Extents(call.Host, shape));
        return dims.Length <= Shape.MaxRank && Array.IndexOf(dims, 0) < 0 ? [Traced.OfPlain(x.Plain.Expand(dims), x.Type, dims)]
            : null;
    }

    public static Traced?[]? Tile(TraceCall call)
    {
        if (call.TracedInput(0) is not { } x || call.Host.Longs(1) is not { } given || given.Length != x.Rank || call.Opset < 6)
        {
            return null;
        }

        int[] repeats = Shapes.Extents(call.Host, given),
            dims = [.. x.Dims.Zip(repeats, (extent, repeat) => checked(extent * repeat))];
        return Array.IndexOf(dims, 0) < 0 ? [Traced.OfPlain(x.Plain.Tile(repeats), x.Type, dims)] : null;
    }

    /// <summary>Rows of a table, of a constant one by its traced indices too; other places by constant indices.</summary>
    public static Traced?[]? Gather(TraceCall call)
    {
        if (call.Input(0) is not { } x || call.Input(1) is not { } indices)
        {
            return null;
        }

        int axis = call.Host.Axis(call.Host.Int("axis", 0), x.Rank);
        int[] dims = [.. x.Dims[..axis], .. indices.Dims, .. x.Dims[(axis + 1)..]];
        if (dims.Length > Shape.MaxRank)
        {
            return null;
        }

        if (call.Constant(1) is not null)
        {
            // One place is a slice.
            long[] known = call.Host.Longs(1)!;
            if (known.Length == 1)
            {
                int place = (int)(known[0] < 0 ? known[0] + x.Dims[axis] : known[0]);
                return place >= 0 && place < x.Dims[axis]
                    ? [Traced.OfPlain(x.Plain.Slice(axis, place, place + 1).Reshape(new Shape(dims)), x.Type, dims)]
                    : null;
            }
        }

        int[] flat = [.. x.Dims[..axis], indices.Dims.Aggregate(1, (p, d) => p * d), .. x.Dims[(axis + 1)..]];
        if (call.Places(1, x.Dims[axis]) is not { } places)
        {
            return null;
        }

        Value index = places.Reshape(new Shape(flat[axis]));
        bool isTable = axis == 0 && x.Rank == 2 && indices.Rank > 0 && x.Type == OnnxElementType.Float32;
        Value chosen = isTable ? index.Embedding(x.Plain) : x.Plain.IndexSelect(axis, index);
        return [Traced.OfPlain(chosen.Reshape(new Shape(dims)), x.Type, dims)];
    }

    public static Traced?[]? Pad(TraceCall call)
    {
        if (call.TracedInput(0) is not { Type: OnnxElementType.Float32 } x
            || Enumerable.Range(1, 3).Any(i => call.TracedInput(i) is not null))
        {
            return null;
        }

        long[] pads = call.Opset >= 11 ? call.Host.Longs(1)! : call.Host.Ints("pads") ?? call.Host.Ints("paddings")!;
        int[] axes = call.Host.Longs(3) is { } some
            ? Array.ConvertAll(some, axis => call.Host.Axis(axis, x.Rank))
            : [.. Enumerable.Range(0, x.Rank)];
        PadMode? mode = call.Host.Text("mode", "constant") switch
        {
            "constant" => PadMode.Constant,
            "reflect" => PadMode.Reflect,
            "edge" => PadMode.Replicate,
            "wrap" => PadMode.Circular,
            _ => null,
        };
        float value = call.Opset >= 11 ? (float)(call.Host.Number(2) ?? 0) : call.Host.Float("value", 0);
        var inside = new int[2 * x.Rank];
        int[] dims = (int[])x.Dims.Clone();
        for (int i = 0; i < axes.Length; i++)
        {
            // The engine counts from the last axis on.
            int place = 2 * (x.Rank - 1 - x.Inside(axes[i]));
            inside[place] = checked((int)pads[i]);
            inside[place + 1] = checked((int)pads[axes.Length + i]);
            if (!Dim.IsSymbol(dims[axes[i]]))
            {
                dims[axes[i]] += inside[place] + inside[place + 1];
            }
            else if (inside[place] != 0 || inside[place + 1] != 0)
            {
                return null;
            }
        }

        if (mode is null || Array.Exists(dims, extent => extent <= 0 && !Dim.IsSymbol(extent)))
        {
            return null;
        }

        Value padded = Array.TrueForAll(inside, pad => pad == 0) ? x.Either : x.Either.Pad(inside, mode.Value, value);
        return [x.IsLast ? Traced.OfLast(padded, x.Type, dims) : Traced.OfPlain(padded, x.Type, dims)];
    }

    public static Traced?[]? DepthToSpace(TraceCall call)
    {
        int b = (int)call.Host.Int("blocksize", 0);
        if (call.TracedInput(0) is not { Rank: 4 } x || b <= 0 || x.Dims[1] % (b * b) != 0)
        {
            return null;
        }

        int n = x.Dims[0], depth = x.Dims[1] / (b * b), h = x.Dims[2], w = x.Dims[3];
        bool columns = call.Host.Text("mode", "DCR") == "CRD";
        Value split = x.Last.Reshape(columns ? new Shape(n, h, w, depth, b, b) : new Shape(n, h, w, b, b, depth));
        Value moved = columns ? split.Permute(0, 1, 4, 2, 5, 3) : split.Permute(0, 1, 3, 2, 4, 5);
        return [Traced.OfLast(moved.Reshape(new Shape(n, h * b, w * b, depth)), x.Type, [n, depth, h * b, w * b])];
    }

    public static Traced?[]? SpaceToDepth(TraceCall call)
    {
        int b = (int)call.Host.Int("blocksize", 0);
        if (call.TracedInput(0) is not { Rank: 4 } x || b <= 0 || x.Dims[2] % b != 0 || x.Dims[3] % b != 0)
        {
            return null;
        }

        int n = x.Dims[0], c = x.Dims[1], h = x.Dims[2] / b, w = x.Dims[3] / b;
        Value moved = x.Last.Reshape(new Shape(n, h, b, w, b, c)).Permute(0, 1, 3, 2, 4, 5);
        return [Traced.OfLast(moved.Reshape(new Shape(n, h, w, b * b * c)), x.Type, [n, b * b * c, h, w])];
    }

    public static Traced?[]? GridSample(TraceCall call)
    {
        InterpolationMode? mode = call.Host.Text("mode", "linear") switch
        {
            "linear" or "bilinear" => InterpolationMode.Linear,
            "nearest" => InterpolationMode.Nearest,
            _ => null,
        };
        GridPadding? padding = call.Host.Text("padding_mode", "zeros") switch
        {
            "zeros" => GridPadding.Zeros,
            "border" => GridPadding.Border,
            "reflection" => GridPadding.Reflection,
            _ => null,
        };
        return mode is { } how && padding is { } outside && call.FloatInput(0) is { Rank: 4 } x
            && call.FloatInput(1) is { Rank: 4 } grid
            ? [Traced.OfLast(x.Last.GridSample(grid.Plain, how, outside, call.Host.Flag("align_corners")), x.Type,
                [x.Dims[0], x.Dims[1], grid.Dims[1], grid.Dims[2]])]
            : null;
    }

    /// <summary>AffineGrid of images; its size is known while recording.</summary>
    public static Traced?[]? AffineGrid(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: 3 } theta || call.TracedInput(1) is not null
            || call.Host.Longs(1) is not { Length: 4 } size || theta.Dims[0] != size[0] || theta.Dims[1] != 2
            || size[2] is < 1 or > int.MaxValue || size[3] is < 1 or > int.MaxValue)
        {
            return null;
        }

        Value grid = theta.Plain.AffineGrid(new Size2D((int)size[2], (int)size[3]), call.Host.Flag("align_corners"));
        return [Traced.OfPlain(grid, theta.Type, [theta.Dims[0], (int)size[2], (int)size[3], 2])];
    }

    /// <summary>Resize of the spatial axes: in the forms that PyTorch has as well by the engine's interpolation, in others by
    /// weights for each axis.</summary>
    public static Traced?[]? Resize(TraceCall call)
    {
        if (call.TracedInput(0) is not { Type: OnnxElementType.Float32 } x || x.Rank is < 3 or > 5
            || Enumerable.Range(1, 3).Any(i => call.TracedInput(i) is not null)
            || call.Host.HasAttribute("axes")
            || call.Host.Text("keep_aspect_ratio_policy", "stretch") != "stretch")
        {
            return null;
        }

        bool old = call.Host.Node.Operator == "Upsample" || call.Opset < 11;
        string coordinates = old ? "asymmetric" : call.Host.Text("coordinate_transformation_mode", "half_pixel");
        string mode = call.Host.Text("mode", "nearest"), nearest = old ? "floor"
            : call.Host.Text("nearest_mode", "round_prefer_floor");
        OnnxTensor stand = OnnxTensor.Zeros(OnnxElementType.UInt8, x.Dims);
        int[] dims = ((OnnxTensor)call.Host.With(0, stand).Rerun()[0]!).Dims;
        if (dims[0] != x.Dims[0] || dims[1] != x.Dims[1] || Array.IndexOf(dims, 0) >= 0)
        {
            return null;
        }

        // Whole factors, or sizes: then scale and sizes say the same.
        bool whole = !call.Host.Flag("antialias") && !call.Host.Flag("exclude_outside")
            && (Enumerable.Range(2, x.Rank - 2).All(i => dims[i] % x.Dims[i] == 0) || call.Host.Longs(3) is not null);
        (InterpolationMode Mode, bool Corners)? how = (mode, coordinates) switch
        {
            ("nearest", "asymmetric") when nearest == "floor" => (InterpolationMode.Nearest, false),
            ("nearest", "half_pixel") when nearest == "round_prefer_floor"
                && Enumerable.Range(2, x.Rank - 2).All(i => dims[i] % x.Dims[i] == 0) => (InterpolationMode.Nearest, false),
            ("linear" or "bilinear", "half_pixel" or "pytorch_half_pixel") when Longer(dims) => (InterpolationMode.Linear, false),
            ("linear" or "bilinear", "align_corners") => (InterpolationMode.Linear, true),
            ("cubic", "half_pixel" or "pytorch_half_pixel") when x.Rank == 4 && call.Host.Float("cubic_coeff_a", -0.75f) == -0.75f
                && Longer(dims)
                => (InterpolationMode.Cubic, false),
            _ => null,
        };
        return whole && how is var (kind, corners)
            ? [Traced.OfLast(x.Last.Interpolate(new Shape(dims.AsSpan(2)), kind, corners), x.Type, dims)]
            : ResampleRules.Resize(call, x, dims);

        static bool Longer(int[] dims) => dims.AsSpan(2).IndexOf(1) < 0;
    }
}
