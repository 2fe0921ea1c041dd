using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Runs passes on models of a few nodes and holds the outputs before and behind them against each other.</summary>
internal static class PassHarness
{
    /// <summary>Gives an input a type and extents; 0 and less are symbols.</summary>
    public static ModelDef Typed(this ModelDef model, string input, params int[] extents) =>
        model.Typed(input, OnnxElementType.Float32, extents);

    public static ModelDef Typed(this ModelDef model, string input, OnnxElementType type, params int[] extents)
    {
        ValueDef value = model.Graph!.Inputs.First(value => value.Name == input);
        value.Type = new TypeDef
        {
            Element = type,
            Shape = [.. extents.Select((extent, i) => extent > 0
                ? new DimensionDef(extent, null)
                : new DimensionDef(-1, $"{input}_{i}"))],
        };
        return model;
    }

    public static TensorDef Weights(string name, int seed, params int[] dims) =>
        Build.Tensor(name, Build.Random(seed, dims).Floats(), [.. dims.Select(extent => (long)extent)]);

    public static TensorDef Number(string name, float value) => Build.Tensor(name, [value]);

    /// <summary>The operators of a model behind passes, sorted.</summary>
    public static string Operators(OnnxOptimization result) =>
        string.Join(' ', result.Definition.Graph!.Nodes.Select(node => node.Operator).Order(StringComparer.Ordinal));

    /// <summary>
    /// Runs passes on a model: the operators left must be these, and outputs those of before, node by node, behind a file, and on
    /// the engine with all passes and with none.
    /// </summary>
    public static OnnxOptimization Check(
        ModelDef definition, string expected, Dictionary<string, OnnxValue> inputs, double tolerance = 1e-5,
        params string[] passes)
    {
        using OnnxModel model = definition.Load();
        IReadOnlySet<string>? enabled = passes.Length == 0 ? null : passes.ToHashSet();
        OnnxOptimization result = model.Optimize(enabled);
        Assert.That(Operators(result), Is.EqualTo(expected));
        IReadOnlyList<OnnxValue?> wanted = model.Evaluate(inputs);
        using OnnxModel again = OnnxModel.Load(result.ToBytes(), "optimized");
        Equal(again.Evaluate(inputs), wanted, tolerance, "behind a file");
        using Device device = Device.Cpu(1);
        foreach (IReadOnlySet<string>? some in new[] { enabled, new HashSet<string>() })
        {
            using OnnxSession session = model.Compile(device, new OnnxSessionOptions { Passes = some });
            Equal(session.Run(inputs), wanted, tolerance * 10,
                $"on the engine with {(some is { Count: 0 } ? "no passes" : "passes")}");
        }

        return result;
    }

    private static void Equal(IReadOnlyList<OnnxValue?> got, IReadOnlyList<OnnxValue?> wanted, double tolerance, string where)
    {
        Assert.That(got, Has.Count.EqualTo(wanted.Count));
        for (int k = 0; k < got.Count; k++)
        {
            var (a, b) = ((OnnxTensor)got[k]!, (OnnxTensor)wanted[k]!);
            Assert.That(a.ToString(), Is.EqualTo(b.ToString()), where);
            if (b.ElementType != OnnxElementType.Float32)
            {
                Assert.That(a.Data, Is.EqualTo(b.Data), where);
                continue;
            }

            float[] x = a.Floats(), y = b.Floats();
            double scale = y.Select(value => (double)Math.Abs(value)).DefaultIfEmpty().Max();
            for (int i = 0; i < x.Length; i++)
            {
                Assert.That(x[i], Is.EqualTo(y[i]).Within(tolerance * (1 + scale)), $"{where}, element {i}");
            }
        }
    }
}
