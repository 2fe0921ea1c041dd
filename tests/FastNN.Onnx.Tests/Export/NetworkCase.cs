using FastNN.Onnx.Export;

namespace FastNN.Onnx.Tests.Export;

/// <summary>How an input of a network is drawn.</summary>
internal enum Draw
{
    Floats,

    /// <summary>Indices below 7.</summary>
    Indices,

    /// <summary>From 1 to the length that the test gives to sequences.</summary>
    Lengths,

    /// <summary>Truth values, the first of each row true.</summary>
    Truths,
}

/// <summary>A network to be written: how it is made, and what goes into it.</summary>
/// <param name="Name">For people.</param>
/// <param name="Build">Makes it, built.</param>
/// <param name="Draws">How each input is drawn.</param>
internal sealed record NetworkCase(string Name, Func<Layer> Build, params Draw[] Draws)
{
    /// <summary>What results may differ by, of each number as a share of 1 and its size.</summary>
    public double Tolerance { get; init; } = 2e-5;

    /// <summary>Whether the file's sequences have a symbol for their length.</summary>
    public bool HasLength { get; init; }

    /// <summary>A network of one input, from the shape of an example.</summary>
    public static NetworkCase Of(string name, int[] example, params Layer[] layers) => new(name, () =>
    {
        var model = new Sequential(layers);
        model.Build(new Shape(example), seed: 5);
        return model;
    });

    /// <summary>A network of any inputs; -1 is a length that every call decides.</summary>
    public static NetworkCase Of(
        string name, (string Name, int[] Shape, Draw Draw)[] inputs, Func<Symbol[], Symbol[]> record) => new(name, () =>
    {
        Symbol[] symbols = [.. inputs.Select(input => FastNN.Model.Input(input.Name, Open(input.Shape), input.Draw switch
        {
            Draw.Floats => DType.Float32,
            Draw.Truths => DType.Bool,
            _ => DType.Int32,
        }))];
        Symbol[] outputs = record(symbols);
        var model = new FastNN.Model(symbols, [.. outputs.Select((output, i) => ($"y{i}", output))]);
        model.Build(seed: 5);
        return model;
    }, [.. inputs.Select(input => input.Draw)]);

    /// <summary>The shape of an example, with a symbol in the place of -1.</summary>
    private static Shape Open(int[] shape) => new(Array.ConvertAll(shape, extent => extent < 0 ? Dim.Named("length") : extent));

    public Layer Make()
    {
        Layer model = Build();

        // Statistics and biases of their first values would hide that they are mixed up.
        var random = new Random(3);
        foreach (NamedParameter named in model.NamedParameters)
        {
            var values = new float[named.Parameter.Count];
            named.Parameter.Read(values);
            for (int i = 0; i < values.Length; i++)
            {
                values[i] += named.Name.EndsWith("running_var", StringComparison.Ordinal)
                    ? random.NextSingle()
                    : 0.2f * (random.NextSingle() - 0.5f);
            }

            named.Parameter.Write(values);
        }

        return model;
    }

    /// <summary>Values for the inputs.</summary>
    /// <param name="length">The length of sequences where the file leaves it open; else null.</param>
    public OnnxTensor[] Inputs(IReadOnlyList<ExportPort> ports, int batch, int? length) =>
        [.. ports.Select((port, i) =>
        {
            int[] dims = [.. port.Value.Shape.ToArray().Select(extent => extent == Dim.Batch ? batch
                : Dim.IsSymbol(extent) ? length!.Value : extent)];
            var random = new Random(17 + i);
            Draw draw = i < Draws.Length ? Draws[i] : Draw.Floats;
            int count = dims.Aggregate(1, (product, extent) => product * extent), row = dims[^1];
            double[] values = [.. Enumerable.Range(0, count).Select(k => draw switch
            {
                Draw.Floats => (random.NextDouble() * 2) - 1,
                Draw.Indices => random.Next(7),
                Draw.Lengths => random.Next(1, 5),
                _ => k % row == 0 || random.Next(3) > 0 ? 1.0 : 0,
            })];
            return Layouts.Tensor(port.Value.Type, values, dims);
        })];

    public override string ToString() => Name;
}
