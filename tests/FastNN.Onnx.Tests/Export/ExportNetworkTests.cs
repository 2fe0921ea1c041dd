using System.Globalization;
using FastNN.Onnx.Export;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests.Export;

/// <summary>
/// Networks, written and run by ONNX Runtime, on the host and in a session of our own: the numbers of the engine, for two batch
/// sizes and, where the file leaves them open, two lengths.
/// </summary>
public sealed class ExportNetworkTests
{
    private Device _device = null!;

    private static IEnumerable<NetworkCase> Cases => [.. NetworkTable.Large, .. NetworkTable.Layers];

    [OneTimeSetUp]
    public void Open() => _device = Device.Cpu(2);

    [OneTimeTearDown]
    public void Close() => _device.Dispose();

    [TestCaseSource(nameof(Cases))]
    public void Networks_compute_the_same_everywhere(object network)
    {
        var one = (NetworkCase)network;
        Layer model = one.Make();
        using var output = new MemoryStream();
        int opset = 17 + (one.Name.Length % 5);
        OnnxExport.Written file = OnnxExport.Write(model, opset, null);
        byte[] bytes = ModelWriter.Write(file.Model).ToArray();
        ExportPort[] inputs = [.. file.Ports.Inputs], outputs = [.. file.Ports.Outputs];
        using Session session = model.CreateSession(_device);
        using var peer = new Peer(bytes, optimizes: true);
        using OnnxModel read = OnnxModel.Load(bytes, one.Name);
        using OnnxSession own = read.Compile(_device);
        bool open = inputs.Any(input => input.Value.Shape.ToArray().Any(extent => Dim.IsSymbol(extent) && extent != Dim.Batch));
        Assert.That(open, Is.EqualTo(one.HasLength), "whether lengths are open");
        Assert.That(peer.Inputs, Is.EqualTo(inputs.Select(input => input.Name)));
        Assert.That(peer.Dimensions(inputs[0].Name)[0], Is.EqualTo("batch"));
        foreach ((int batch, int length) in new[] { (1, 6), (3, 6), (3, 5) })
        {
            // What was built for one length is asked for none other.
            if (length == 5 && !open)
            {
                continue;
            }

            OnnxTensor[] given = one.Inputs(inputs, batch, length);
            OnnxTensor[] wanted = Wanted(model, session, given, outputs, open);
            var named = new Dictionary<string, OnnxValue>();
            for (int i = 0; i < given.Length; i++)
            {
                named.Add(inputs[i].Name, Layouts.ToFile(inputs[i], given[i]));
            }

            Compare("ONNX Runtime", peer.Run(named));
            Compare("the host", [.. read.Evaluate(named).Select(value => (OnnxTensor)value!)]);
            Compare("the session", [.. own.Run(named).Select(value => (OnnxTensor)value!)]);

            void Compare(string who, OnnxTensor[] got)
            {
                for (int i = 0; i < wanted.Length; i++)
                {
                    OnnxTensor back = Layouts.FromFile(outputs[i], got[i]);
                    string where = string.Create(
                        CultureInfo.InvariantCulture, $"{who}, batch {batch}, output {i}, opset {opset}");
                    Assert.That(back.Dims, Is.EqualTo(wanted[i].Dims), where);
                    Assert.That(
                        Layouts.Distance(Layouts.Numbers(back), Layouts.Numbers(wanted[i])), Is.LessThan(one.Tolerance), where);
                }
            }
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Parameters_keep_their_names(object network)
    {
        Layer model = ((NetworkCase)network).Make();
        GraphDef graph = OnnxExport.Write(model, 17, null).Model.Graph!;
        HashSet<string> names = [.. graph.Initializers.SelectMany(tensor => tensor.Name.Split('+'))];

        // Normalized weights are what was computed of the parameters; a bag of padding has a table behind the parameter's.
        string[] missing = [.. model.NamedParameters.Select(named => named.Name).Where(name => !names.Contains(name)
            && !name.Contains("weight_g", StringComparison.Ordinal) && !name.Contains("weight_v", StringComparison.Ordinal)
            && !name.Contains("original", StringComparison.Ordinal) && !name.EndsWith(".u", StringComparison.Ordinal)
            && !name.Contains("_u", StringComparison.Ordinal))];
        Assert.That(missing, Is.Empty, string.Join(", ", graph.Initializers.Select(tensor => tensor.Name)));
    }

    /// <summary>What the engine gives.</summary>
    private OnnxTensor[] Wanted(Layer model, Session session, OnnxTensor[] given, ExportPort[] outputs, bool open)
    {
        if (!open)
        {
            return Run(session, given, outputs);
        }

        // A session of the lengths at hand, since the model's own has those that it was built for.
        var graph = new Graph(GraphMode.Inference);
        Value[] inputs = [.. given.Select((tensor, i) =>
            graph.Input(new Shape(tensor.Dims), session.Inputs[i].Type.Type, session.Inputs[i].Name))];
        IReadOnlyList<Value> values = model.Apply(inputs);
        using Session exact = graph.Compile(_device, [.. values]);
        return Run(exact, given, outputs);
    }

    private static OnnxTensor[] Run(Session session, OnnxTensor[] given, ExportPort[] outputs)
    {
        using SessionRun run = session.Begin([.. given.Select(tensor => new Shape(tensor.Dims))]);
        for (int i = 0; i < given.Length; i++)
        {
            switch (given[i].Data)
            {
                case float[] floats:
                    run.Write<float>(i, floats);
                    break;
                case int[] integers:
                    run.Write<int>(i, integers);
                    break;
                default:
                    run.Write<bool>(i, (bool[])given[i].Data);
                    break;
            }
        }

        run.Compute();
        var results = new OnnxTensor[outputs.Length];
        for (int i = 0; i < results.Length; i++)
        {
            Shape shape = run.OutputShape(i);
            var values = new float[shape.Count];
            run.Read<float>(i, values);
            results[i] = OnnxTensor.Create(values, shape.ToArray());
        }

        return results;
    }
}
