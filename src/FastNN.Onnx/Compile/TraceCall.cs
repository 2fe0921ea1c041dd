using FastNN.Graphs;
using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>Records a node; null where the engine does not have it in this form.</summary>
internal delegate Traced?[]? TraceRule(TraceCall call);

/// <summary>One node on its way into the engine's graph: traced inputs beside constant ones, and the attributes.</summary>
internal sealed class TraceCall(HostCall host, object?[] inputs, Graph graph)
{
    /// <summary>The node's attributes, and those of its inputs that are constant.</summary>
    public HostCall Host => host;

    public Graph Graph => graph;

    public long Opset => host.Opset;

    public int InputCount => inputs.Length;

    public bool Has(int input) => input < inputs.Length && inputs[input] is not null;

    /// <summary>An input, traced or constant; null where it is not there.</summary>
    public object? Given(int input) => input < inputs.Length ? inputs[input] : null;

    /// <summary>An input that is traced; null where it is constant or not there.</summary>
    public Traced? TracedInput(int input) => input < inputs.Length ? inputs[input] as Traced : null;

    /// <summary>An input that is constant; null where it is traced or not there.</summary>
    public OnnxTensor? Constant(int input) => input < inputs.Length ? inputs[input] as OnnxTensor : null;

    /// <summary>An input as a traced value; constants become constants of the graph. Null for types that the engine
    /// lacks.</summary>
    public Traced? Input(int input) => !Has(input) ? null : TracedInput(input)
        ?? (Constant(input) is { } constant ? Record(constant) : null);

    /// <summary>A constant in the engine's graph; null for types that it lacks.</summary>
    public Traced? Record(OnnxTensor constant)
    {
        if (constant.Rank > Shape.MaxRank || constant.Count == 0)
        {
            return null;
        }

        var shape = new Shape(constant.Dims);
        switch (constant.ElementType)
        {
            case OnnxElementType.Float32:
                return Traced.OfPlain(Floats(constant, shape), OnnxElementType.Float32, constant.Dims);
            case OnnxElementType.Int32 or OnnxElementType.Int64:
                long[] numbers = ((OnnxTensor)Numbers.Convert(constant, OnnxElementType.Int64)).Array<long>();
                if (Array.Exists(numbers, number => number is < int.MinValue or > int.MaxValue))
                {
                    return null;
                }

                return Traced.OfPlain(
                    graph.ConstantInt32(Array.ConvertAll(numbers, number => (int)number), shape), constant.ElementType,
                        constant.Dims);
            case OnnxElementType.Bool:
                int[] truths = Array.ConvertAll(constant.Array<bool>(), truth => truth ? 1 : 0);
                return Traced.OfPlain(graph.ConstantInt32(truths, shape).Cast(DType.Bool), OnnxElementType.Bool, constant.Dims);
            default:
                return null;
        }
    }

    /// <summary>A constant of float32 elements in their order. Small ones are copied at once.</summary>
    public Value Floats(OnnxTensor constant, Shape shape) => constant.Count * sizeof(float) < ConstantPool.LeastBytes
        ? graph.Constant(constant.Array<float>(), shape)
        : graph.Constant(new TensorData(constant), new TensorType(shape));

    /// <summary>A constant of float32 elements whose axes come in another order.</summary>
    /// <param name="constant">The elements.</param>
    /// <param name="permutation">Which axis of theirs each axis of the value is.</param>
    public Value Permuted(OnnxTensor constant, params int[] permutation)
    {
        var shape = new Shape(Array.ConvertAll(permutation, axis => constant.Dims[axis]));
        return graph.Constant(new TensorData(constant, permutation), new TensorType(shape));
    }

    /// <summary>A float32 input that is traced or becomes so; null for other types.</summary>
    public Traced? FloatInput(int input) => Input(input) is { Type: OnnxElementType.Float32 } traced ? traced : null;

    /// <summary>A constant float32 input.</summary>
    public OnnxTensor? FloatConstant(int input) => Constant(input) is { ElementType: OnnxElementType.Float32 } tensor ? tensor
        : null;

    /// <summary>Constant integers, from an input or, in older opsets, from an attribute.</summary>
    public long[]? Longs(int input, string attribute) =>
        TracedInput(input) is not null ? null : host.Longs(input) ?? host.Ints(attribute);

    /// <summary>An input of indices as places from 0 on, in Int32; negative ones count from the end of an axis. Null where they
    /// are not integers, or constant ones are out of range.</summary>
    public Value? Places(int input, int extent)
    {
        if (Constant(input) is { ElementType: OnnxElementType.Int32 or OnnxElementType.Int64 } constant)
        {
            long[] places = host.Longs(input)!;
            return constant.Rank > Shape.MaxRank || places.Length == 0
                || Array.Exists(places, place => place < -extent || place >= extent)
                ? null
                : graph.ConstantInt32(Array.ConvertAll(places, place => (int)(place < 0 ? place + extent : place)),
                    new Shape(constant.Dims));
        }

        return TracedInput(input) is { Type: OnnxElementType.Int32 or OnnxElementType.Int64 } traced
            ? ShapeOperators.Where(traced.Plain.Less(0), traced.Plain + extent, traced.Plain)
            : null;
    }

    public static Traced?[] One(Traced value) => [value];
}
