using FastNN.Onnx.Compile;
using FastNN.Onnx.Host;

namespace FastNN.Onnx.Train;

/// <summary>
/// How operators are recorded whose weights are parameters, for a number of examples that is a symbol; the others are recorded as
/// sessions record them.
/// </summary>
/// <param name="laidOut">Weights that lie as the engine has them, not as the file does.</param>
/// <param name="single">Whether the file is for one example.</param>
internal sealed class TrainRules(HashSet<Value> laidOut, bool single)
{
    private readonly TrainReshape _reshape = new(single);


    // What may be done with a shape that has symbols: handing on and comparing, not calculating.
    private static readonly HashSet<string> HandingOn = new(StringComparer.Ordinal)
    {
        "Cast", "Concat", "Constant", "Equal", "Expand", "Gather", "Identity", "Reshape", "Shape", "Slice", "Split", "Squeeze",
        "Unsqueeze", "Where",
    };

    public TraceRule? Find(string name) => name switch
    {
        "Conv" => Conv,
        "ConvTranspose" => ConvTranspose,
        "Gemm" => Gemm,
        "BatchNormalization" => Batch,
        "Dropout" => Dropout,
        "MaxPool" => call => TrainPools.Record(call, maximum: true),
        "AveragePool" => call => TrainPools.Record(call, maximum: false),
        "PRelu" => PRelu,
        "LSTM" => call => TrainRecurrence.Record(call, "LSTM"),
        "GRU" => call => TrainRecurrence.Record(call, "GRU"),
        "RNN" => call => TrainRecurrence.Record(call, "RNN"),
        "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" => _reshape.Record,
        "Split" => TrainShapes.Split,
        "Slice" => TrainShapes.Slice,
        "Expand" => TrainShapes.Expand,
        "ConstantOfShape" => TrainShapes.ConstantOfShape,
        "Gather" => TrainShapes.Gather,
        _ => TraceRules.Find(name),
    };

    /// <summary>Extents, those that are multiples of a symbol as such.</summary>
    public OnnxValue?[] Multiples(OnnxValue?[] shape)
    {
        long[] extents = ((OnnxTensor)shape[0]!).Array<long>();
        return [OnnxTensor.Create(Array.ConvertAll(extents, _reshape.Multiple), extents.Length)];
    }

    /// <summary>Whether a node makes a tensor of an open shape out of constants, which is recorded.</summary>
    public static bool Opens(HostNode node, OnnxValue?[] inputs) => node.Definition.Operator switch
    {
        "ConstantOfShape" => HasSymbols(inputs[0]),
        "Expand" => HasSymbols(inputs[1]),
        _ => false,
    };

    /// <summary>Fails where a node calculates with extents that are symbols in another way than by multiplying and dividing
    /// them.</summary>
    /// <exception cref="OnnxException">It does.</exception>
    public static void RequireNumbers(HostNode node, OnnxValue?[] inputs)
    {
        bool fits = node.Definition.Operator switch
        {
            // Of a constant's new shape all extents have to be known.
            "Reshape" => !HasSymbols(inputs[1]),
            "Mul" => IsProduct(inputs[0], inputs[1]) || IsProduct(inputs[1], inputs[0]),
            "Div" => IsQuotient(inputs[0], inputs[1]),
            "Cast" => !HasMultiples(inputs[0]) || node.Definition.Attributes["to"].Int == (long)OnnxElementType.Int64,
            _ => HandingOn.Contains(node.Definition.Operator),
        };
        if (!fits && Array.Exists(inputs, HasSymbols))
        {
            throw Refuse(node);
        }
    }

    /// <summary>Fails where a recorded node takes a multiple of a symbol that it cannot have.</summary>
    /// <exception cref="OnnxException">It does.</exception>
    public static void RequireSymbols(HostNode node, OnnxValue?[] inputs)
    {
        if (node.Definition.Operator != "Reshape" && Array.Exists(inputs, HasMultiples))
        {
            throw Refuse(node);
        }
    }

    private static OnnxException Refuse(HostNode node) => new(
        $"ToModel: {node.Definition.Title} calculates with an extent that is open, such as the number of examples; {nameof(OnnxImportOptions)}.{nameof(OnnxImportOptions.Extents)} gives numbers for others.");

    private static bool HasSymbols(OnnxValue? input) =>
        input is OnnxTensor { Data: long[] values } && Array.Exists(values, value => TrainShapes.Multiple(value) is not null);

    private static bool HasMultiples(OnnxValue? input) => input is OnnxTensor { Data: long[] values }
        && Array.Exists(values, value => TrainShapes.Multiple(value) is { Count: > 1 });

    private static bool IsProduct(OnnxValue? symbols, OnnxValue? numbers) => symbols is OnnxTensor { Data: long[] values }
        && numbers is OnnxTensor { Data: long[] factors }
        && Array.TrueForAll(factors, factor => factor is > 0 and < TrainShapes.MaxCount
            && Array.TrueForAll(values, value => TrainShapes.Multiple(value) is not { } multiple
                || multiple.Count * factor <= TrainShapes.MaxCount));

    private static bool IsQuotient(OnnxValue? symbols, OnnxValue? numbers) => symbols is OnnxTensor { Data: long[] values }
        && numbers is OnnxTensor { Data: long[] divisors } && Array.TrueForAll(divisors, divisor => divisor > 0
            && Array.TrueForAll(values, value => TrainShapes.Multiple(value) is not { } multiple
                || multiple.Count % divisor == 0));

    private Traced?[]? Conv(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: >= 3 and <= 5 } x || call.FloatInput(1) is not { } weight
            || weight.Rank != x.Rank || (call.Has(2) && call.FloatInput(2) is null))
        {
            return null;
        }

        int groups = (int)call.Host.Int("group", 1);
        var windows = Windows.Of(call.Host, x.Dims.AsSpan(2), weight.Dims.AsSpan(2));
        if (groups <= 0 || weight.Dims[1] * groups != x.Dims[1] || weight.Dims[0] % groups != 0 || windows.OutputCount == 0)
        {
            return null;
        }

        Value filter = Filter(weight);
        Value? bias = call.Has(2) ? call.FloatInput(2)!.Plain : null;
        Host.WindowAxis[] a = windows.Axes;
        Value y = x.Rank switch
        {
            3 => x.Last.Conv1D(
                filter, bias, a[0].Stride, Padding1D.Explicit(a[0].Before, a[0].After), a[0].Dilation, groups),
            4 => x.Last.Conv2D(
                filter, bias, (a[0].Stride, a[1].Stride),
                Padding2D.Explicit(a[0].Before, a[0].After, a[1].Before, a[1].After), (a[0].Dilation, a[1].Dilation), groups),
            _ => x.Last.Conv3D(
                filter, bias, (a[0].Stride, a[1].Stride, a[2].Stride),
                Padding3D.Explicit(a[0].Before, a[0].After, a[1].Before, a[1].After, a[2].Before, a[2].After),
                (a[0].Dilation, a[1].Dilation, a[2].Dilation), groups),
        };
        return [Traced.OfLast(y, x.Type, [x.Dims[0], weight.Dims[0], .. windows.OutputDims])];
    }

    private Traced?[]? ConvTranspose(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: >= 3 and <= 5 } x || call.FloatInput(1) is not { } weight || weight.Rank != x.Rank
            || (call.Has(2) && call.FloatInput(2) is null) || call.Host.HasAttribute("output_shape")
            || call.Host.Text("auto_pad", "NOTSET") is "SAME_UPPER" or "SAME_LOWER" || weight.Dims[0] != x.Dims[1])
        {
            return null;
        }

        int axes = x.Rank - 2, groups = (int)call.Host.Int("group", 1);
        int[] List(string name, int count, long otherwise) =>
            Array.ConvertAll(Windows.List(call.Host, name, count, otherwise), value => checked((int)value));
        int[] strides = List("strides", axes, 1), dilations = List("dilations", axes, 1), extra = List("output_padding", axes, 0);
        int[] pads = List("pads", 2 * axes, 0);
        if (!pads.AsSpan(0, axes).SequenceEqual(pads.AsSpan(axes)))
        {
            return null;
        }

        Value filter = Filter(weight);
        Value? bias = call.Has(2) ? call.FloatInput(2)!.Plain : null;
        Value y = axes switch
        {
            1 => x.Last.ConvTranspose1D(filter, bias, strides[0], pads[0], extra[0], dilations[0], groups),
            2 => x.Last.ConvTranspose2D(
                filter, bias, (strides[0], strides[1]), (pads[0], pads[1]), (extra[0], extra[1]), (dilations[0], dilations[1]),
                groups),
            _ => x.Last.ConvTranspose3D(
                filter, bias, (strides[0], strides[1], strides[2]), (pads[0], pads[1], pads[2]), (extra[0], extra[1], extra[2]),
                (dilations[0], dilations[1], dilations[2]), groups),
        };
        return [Traced.OfLast(y, x.Type, [x.Dims[0], y.Shape[-1], .. y.Shape[1..^1].ToArray()])];
    }

    private Traced?[]? Gemm(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: 2 } a || call.FloatInput(1) is not { Rank: 2 } b
            || (call.Has(2) && call.FloatInput(2) is null))
        {
            return null;
        }

        float alpha = call.Host.Float("alpha", 1), beta = call.Host.Float("beta", 1);
        bool transposed = call.Host.Flag("transB");
        Value left = call.Host.Flag("transA") ? a.Plain.Permute(1, 0) : a.Plain;
        Value matrix = laidOut.Contains(b.Plain) || !transposed ? b.Plain : b.Plain.Permute(1, 0);
        int m = call.Host.Flag("transA") ? a.Dims[1] : a.Dims[0], n = transposed ? b.Dims[0] : b.Dims[1];
        Traced? c = call.Has(2) ? call.FloatInput(2) : null;
        if (alpha == 1 && beta == 1 && c is { Rank: 1 } && c.Dims[0] == n)
        {
            return [Traced.OfPlain(left.Dense(matrix, c.Plain), a.Type, [m, n])];
        }

        Value y = left.Dense(matrix);
        y = alpha == 1 ? y : y * alpha;
        y = c is null ? y : y + (beta == 1 ? c.Plain : c.Plain * beta);
        return [Traced.OfPlain(y, a.Type, [m, n])];
    }

    /// <summary>In training the statistics are the batch's, and the running ones follow them.</summary>
    private static Traced?[]? Batch(TraceCall call)
    {
        if (call.FloatInput(0) is not { Rank: >= 2 } x || call.FloatInput(1) is not { } scale
            || call.FloatInput(2) is not { } bias || call.FloatInput(3) is not { } mean
            || call.FloatInput(4) is not { } variance || call.Host.Wants(1))
        {
            return null;
        }

        float momentum = 1 - call.Host.Float("momentum", 0.9f);
        Value Normalized(Value value) => value.BatchNorm(
            mean.Plain, variance.Plain, scale.Plain, bias.Plain, momentum, call.Host.Float("epsilon", 1e-5f));
        return x.Rank == 2
            ? [Traced.OfPlain(Normalized(x.Plain), x.Type, x.Dims)]
            : [Traced.OfLast(Normalized(x.Last), x.Type, x.Dims)];
    }

    private static Traced?[]? Dropout(TraceCall call)
    {
        if (call.FloatInput(0) is not { } x || call.Host.Wants(1))
        {
            return null;
        }

        float rate = call.Opset < 12 ? call.Host.Float("ratio", 0.5f) : (float)(call.Host.Number(1) ?? 0.5);
        return [x.Like(x.Either.Dropout(rate), x.Type)];
    }

    private static Traced?[]? PRelu(TraceCall call)
    {
        if (call.FloatInput(0) is not { } x || call.FloatInput(1) is not { } slope || slope.Rank > x.Rank)
        {
            return null;
        }

        // Before opset 7 a vector has a slope for each channel.
        bool channels = call.Opset < 7 && slope.Rank == 1 && x.Rank > 2 && slope.Dims[0] == x.Dims[1];
        Value slopes = channels
            ? slope.Plain.Reshape(new Shape([slope.Dims[0], .. Enumerable.Repeat(1, x.Rank - 2)]))
            : slope.Plain;
        Value y = x.Plain.ReLU() + (slopes * x.Plain.Minimum(0));
        return [Traced.OfPlain(y, x.Type, x.Dims)];
    }

    /// <summary>[OC, C, K...] as the engine's [K..., C, OC].</summary>
    private Value Filter(Traced weight) => laidOut.Contains(weight.Plain)
        ? weight.Plain
        : weight.Plain.Permute([.. Enumerable.Range(2, weight.Rank - 2), 1, 0]);
}
