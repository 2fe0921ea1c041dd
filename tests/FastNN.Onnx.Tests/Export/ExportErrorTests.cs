using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests.Export;

/// <summary>What is refused, and what a file says of itself.</summary>
public sealed class ExportErrorTests
{
    private static Sequential Dense(int inputs)
    {
        var model = new Sequential(new Dense(3));
        model.Build(new Shape(inputs));
        return model;
    }

    [TestCase(16)]
    [TestCase(22)]
    public void Other_opsets_are_refused(int opset) => Assert.That(
        () => Dense(2).ExportOnnx(Stream.Null, opset),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("expected an opset from 17 to 21"));

    [Test]
    public void A_model_that_is_not_built_is_refused() => Assert.That(
        () => new Sequential(new Dense(3)).ExportOnnx(Stream.Null),
        Throws.InvalidOperationException.With.Message.Contains("not built"));

    [Test]
    public void A_graph_for_training_is_refused()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([Dim.Batch, 3]);
        Assert.That(
            () => graph.ExportOnnx(Stream.Null, [("y", x.ReLU())]), Throws.ArgumentException.With.Message.Contains("inference"));
    }

    [Test]
    public void Outputs_need_names_of_their_own()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, 3]);
        Assert.That(() => graph.ExportOnnx(Stream.Null, []), Throws.ArgumentException);
        Assert.That(() => graph.ExportOnnx(Stream.Null, [("y", x.ReLU()), ("y", x.Exp())]), Throws.ArgumentException);
        Assert.That(
            () => new Graph(GraphMode.Inference).ExportOnnx(Stream.Null, [("y", x.ReLU())]), Throws.ArgumentException);
    }

    [Test]
    public void An_operator_without_a_form_is_named_and_no_file_is_touched()
    {
        string path = Path.Combine(Path.GetTempPath(), $"fastnn-{Guid.NewGuid():N}.onnx");
        try
        {
            Dense(4).ExportOnnx(path);
            byte[] before = File.ReadAllBytes(path);
            var model = new Sequential(new Losing());
            model.Build(new Shape(4));
            Assert.That(
                () => model.ExportOnnx(path),
                Throws.TypeOf<OnnxException>().With.Message.StartsWith("ExportOnnx: CumProd of Float32[N, 4]"));
            Assert.That(File.ReadAllBytes(path), Is.EqualTo(before));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private sealed class Losing : Layer
    {
        protected override Value Forward(Value x) => x.CumProd(1);
    }

    [Test]
    public void Outputs_may_be_inputs_constants_and_each_other()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, 3], name: "x"), y = x.ReLU();
        using var stream = new MemoryStream();
        graph.ExportOnnx(stream, [("same", x), ("a", y), ("b", y), ("c", graph.Constant([1f, 2], new Shape(2)))]);
        using var peer = new Peer(stream.ToArray(), optimizes: false);
        OnnxTensor[] got = peer.Run(new Dictionary<string, OnnxValue> { ["x"] = OnnxTensor.Create([-1f, 2, 3], 1, 3) });
        float[][] wanted = [[-1, 2, 3], [0, 2, 3], [0, 2, 3], [1, 2]];
        Assert.That(got.Select(tensor => tensor.Floats()), Is.EqualTo(wanted));
    }

    [Test]
    public void A_shared_parameter_is_written_once()
    {
        var table = new Embedding(5, 4);
        Symbol tokens = FastNN.Model.Input("tokens", new Shape(3), DType.Int32);
        var model = new FastNN.Model(tokens, new Tied(table).Apply(table.Apply(tokens)));
        model.Build();
        GraphDef graph = OnnxExport.Write(model, 17, null).Model.Graph!;
        Assert.That(
            graph.Initializers.Select(tensor => tensor.Name), Is.EqualTo(model.NamedParameters.Select(named => named.Name)));
    }

    private sealed class Tied(Embedding table) : Layer
    {
        protected override Value Forward(Value x) => x.MatMul(x.Graph.Use(table.Weight!), transposeB: true);
    }

    [Test]
    public void A_file_says_what_wrote_it()
    {
        using var stream = new MemoryStream();
        var model = FastNN.Model.Of(Dense(2));
        model.ClassNames = ["cat", "dog", "hen"];
        model.ExportOnnx(stream, 19);
        using OnnxModel file = OnnxModel.Load(stream.ToArray());
        Assert.Multiple(() =>
        {
            Assert.That(file.Producer, Does.StartWith("FastNN "));
            Assert.That(file.Opsets[""], Is.EqualTo(19));
            Assert.That(file.Metadata["producer"], Is.EqualTo("FastNN"));
            Assert.That(file.Metadata["version"], Is.Not.Empty);
            Assert.That(file.Metadata["class.2"], Is.EqualTo("hen"));
            Assert.That(file.Inputs.Single().ToString(), Is.EqualTo("input: FLOAT[batch, 2]"));
            Assert.That(file.Outputs.Single().ToString(), Is.EqualTo("output: FLOAT[batch, 3]"));
        });
    }

    [Test]
    public void Preprocessing_is_part_of_the_file_unless_it_is_not_wanted()
    {
        var model = FastNN.Model.Of(Dense(2));
        model.Preprocessing = Preprocessing.Scaling(2);
        float Once(OnnxExportOptions? options)
        {
            using var stream = new MemoryStream();
            model.ExportOnnx(stream, options: options);
            using OnnxModel file = OnnxModel.Load(stream.ToArray());
            var inputs = new Dictionary<string, OnnxValue> { ["input"] = OnnxTensor.Create([1f, -1], 1, 2) };
            return file.Evaluate(inputs)[0].Floats()[0];
        }

        var weights = new float[6];
        model.NamedParameters.Single(named => named.Name.EndsWith("weight", StringComparison.Ordinal)).Parameter.Read(weights);
        Assert.That(Once(null), Is.EqualTo(2 * (weights[0] - weights[3])).Within(1e-5));
        Assert.That(Once(new OnnxExportOptions { ApplyPreprocessing = false }), Is.EqualTo(weights[0] - weights[3]).Within(1e-5));
    }

    [Test]
    public void Channels_can_stay_last()
    {
        var model = new Sequential(new Conv2D(4, 3));
        model.Build(new Shape(6, 5, 2));
        using var stream = new MemoryStream();
        model.ExportOnnx(stream, options: new OnnxExportOptions { ChannelsLast = true });
        using OnnxModel file = OnnxModel.Load(stream.ToArray());
        Assert.That(file.Inputs.Single().ToString(), Is.EqualTo("input: FLOAT[batch, 6, 5, 2]"));
        Assert.That(file.Outputs.Single().ToString(), Is.EqualTo("output: FLOAT[batch, 4, 3, 4]"));
    }
}
