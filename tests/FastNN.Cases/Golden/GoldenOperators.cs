using FastNN.Functions;

namespace FastNN.Testing;

/// <summary>Dense layers, activations, element-wise operators and those that change shapes: tensors without a layout.</summary>
internal static class GoldenOperators
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new(Functions())
    {
        ["linear"] = Linear,
        ["gelu"] = Gelu,
        ["gelu_tanh"] = Gelu,
        ["prelu"] = PRelu,
        ["glu"] = Glu,
        ["softmax"] = (golden, device) => Softmax(golden, device, logarithm: false),
        ["log_softmax"] = (golden, device) => Softmax(golden, device, logarithm: true),
        ["pow_scalar"] = PowScalar,
        ["concat"] = Concat,
        ["flatten"] = Flatten,
        ["reshape"] = Reshape,
        ["squeeze"] = Squeeze,
        ["unsqueeze"] = Unsqueeze,
    };

    private static void Unary(GoldenCase golden, Device device, Func<Value, Value> build) =>
        GoldenRunner.RunOperator(golden, device, [Port.Plain(golden, "x")], Port.Plain(golden, "y"), values => build(values[0]));

    private static void Linear(GoldenCase golden, Device device)
    {
        golden.Attributes.Skip("in_features", "out_features");
        List<Port> inputs = [Port.Plain(golden, "x"), Port.DenseWeight(golden, "weight")];
        if (golden.Attributes.Bool("bias"))
        {
            inputs.Add(Port.Plain(golden, "bias"));
        }

        GoldenRunner.RunOperator(
            golden, device, [.. inputs], Port.Plain(golden, "y"),
            values => values[0].Dense(values[1], values.ElementAtOrDefault(2)));
    }

    /// <summary>The functions that PyTorch knows by the name in their row.</summary>
    private static Dictionary<string, Action<GoldenCase, Device>> Functions()
    {
        var handlers = new Dictionary<string, Action<GoldenCase, Device>>();
        foreach (UnaryFunction row in FunctionTable.Unary.Where(row => row.Info.Torch is not null))
        {
            handlers.Add(row.Info.Torch!, (golden, device) => Function(golden, device, row));
        }

        foreach (BinaryFunction row in FunctionTable.Binary.Where(row => row.Info.Torch is not null))
        {
            handlers.Add(
                row.Info.Torch!, (golden, device) => Binary(golden, device, (a, b) => ElementwiseCases.Record(row, a, b)));
        }

        return handlers;
    }

    private static void Function(GoldenCase golden, Device device, UnaryFunction row)
    {
        float[] scalars = Array.ConvertAll(
            row.Info.Scalars, scalar => Scalar(golden.Attributes, scalar.Torch ?? scalar.Name, scalar.Default));
        Unary(golden, device, x => x.Activate(new Activation(row, Scalars.Of(scalars))));
    }

    /// <summary>An attribute, or the default where it is missing or null.</summary>
    private static float Scalar(Attributes attributes, string name, float fallback)
    {
        if (attributes.Has(name) && !attributes.IsNull(name))
        {
            return attributes.Float(name);
        }

        attributes.Skip(name);
        return fallback;
    }

    private static void Gelu(GoldenCase golden, Device device)
    {
        string approximate = golden.Attributes.String("approximate");
        if (approximate is not ("none" or "tanh"))
        {
            throw new UnsupportedCaseException($"approximate = {approximate}");
        }

        Unary(golden, device, x => approximate == "tanh" ? x.GeluTanh() : x.Gelu());
    }

    /// <summary>PyTorch's channels are axis 1; the engine's are the last.</summary>
    private static void PRelu(GoldenCase golden, Device device)
    {
        golden.Attributes.Skip("num_parameters");
        Port[] inputs = [Port.Classes(golden, "x", 1), Port.Plain(golden, "weight")];
        GoldenRunner.RunOperator(
            golden, device, inputs, Port.Classes(golden, "y", 1), values => values[0].PReLU(values[1]));
    }

    private static void Glu(GoldenCase golden, Device device)
    {
        int axis = golden.Attributes.Int("axis");
        Unary(golden, device, x => x.GLU(axis));
    }

    private static void Softmax(GoldenCase golden, Device device, bool logarithm)
    {
        int axis = golden.Attributes.Int("axis");
        Unary(golden, device, x => logarithm ? x.LogSoftmax(axis) : x.Softmax(axis));
    }

    private static void Binary(GoldenCase golden, Device device, Func<Value, Value, Value> build)
    {
        // Says only that shapes may differ.
        golden.Attributes.Skip("broadcast");
        Port[] inputs = [Port.Plain(golden, "x0"), Port.Plain(golden, "x1")];
        GoldenRunner.RunOperator(golden, device, inputs, Port.Plain(golden, "y"), values => build(values[0], values[1]));
    }

    private static void PowScalar(GoldenCase golden, Device device)
    {
        float exponent = golden.Attributes.Float("exponent");
        Unary(golden, device, x => x.Pow(exponent));
    }

    private static void Concat(GoldenCase golden, Device device)
    {
        int axis = golden.Attributes.Int("axis");
        Port[] inputs = [.. Enumerable.Range(0, golden.Attributes.Int("inputs")).Select(i => Port.Plain(golden, $"x{i}"))];
        GoldenRunner.RunOperator(golden, device, inputs, Port.Plain(golden, "y"), values => Operators.Concat(axis, values));
    }

    private static void Flatten(GoldenCase golden, Device device)
    {
        int[] shape = golden.ShapeOf("x");
        int start = new Shape(shape).NormalizeAxis(golden.Attributes.Int("start_axis"));
        int end = new Shape(shape).NormalizeAxis(golden.Attributes.Int("end_axis"));
        bool isLayers = start == 1 && end == shape.Length - 1;
        Unary(golden, device, x => isLayers ? x.Flatten() : x.Flatten(start, end));
    }

    private static void Reshape(GoldenCase golden, Device device)
    {
        int[] shape = golden.Attributes.Ints("shape");
        int known = shape.Where(extent => extent != -1).Aggregate(1, (product, extent) => product * extent);
        int count = golden.ShapeOf("x").Aggregate(1, (product, extent) => product * extent);
        var full = new Shape(Array.ConvertAll(shape, extent => extent == -1 ? count / known : extent));
        Unary(golden, device, x => x.Reshape(full));
    }

    private static void Squeeze(GoldenCase golden, Device device)
    {
        int axis = golden.Attributes.Int("axis");
        Unary(golden, device, x => x.Squeeze(axis));
    }

    private static void Unsqueeze(GoldenCase golden, Device device)
    {
        int axis = golden.Attributes.Int("axis");
        Unary(golden, device, x => x.Unsqueeze(axis));
    }
}
