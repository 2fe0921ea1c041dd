using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Where a session has its weights: in the file, and once in the form that kernels read.</summary>
public sealed class SessionWeightTests
{
    private static OnnxModel Convolution(int kernel, int filters, int channels, int groups = 1) => Build.Model(
            17, Build.Node(
                "Conv", "x w b", "y", Build.Ints("pads", kernel / 2, kernel / 2, kernel / 2, kernel / 2),
                Build.Int("group", groups)))
        .With(["x"], ["y"]).With(
            Build.Tensor("w", Build.Random(5, filters, channels / groups, kernel, kernel).Floats(),
                filters, channels / groups, kernel, kernel),
            Build.Tensor("b", Build.Random(6, filters).Floats(), filters)).Load();

    private static OnnxModel Product(bool turned, int inputs, int outputs) => Build.Model(
            17, Build.Node("Gemm", "x w b", "y", Build.Int("transB", turned ? 1 : 0)))
        .With(["x"], ["y"]).With(
            Build.Tensor("w", Build.Random(5, inputs, outputs).Floats(),
                turned ? outputs : inputs, turned ? inputs : outputs),
            Build.Tensor("b", Build.Random(6, outputs).Floats(), outputs)).Load();

    /// <summary>Weights that kernels read in panels or transformed have no plain copy beside that; the others have.</summary>
    [TestCase(3, 64, 32, 1, false, TestName = "Winograd's points stand alone")]
    [TestCase(5, 64, 32, 1, false, TestName = "Panels of a filter stand alone")]
    [TestCase(1, 160, 96, 1, false, TestName = "Panels of a product stand alone")]
    [TestCase(3, 128, 128, 128, true, TestName = "Filters of single channels are read as they are")]
    [TestCase(5, 8, 32, 1, true, TestName = "A filter of one panel is read as it is")]
    public void Weights_are_in_memory_once(int kernel, int filters, int channels, int groups, bool isPlain)
    {
        using OnnxModel model = Convolution(kernel, filters, channels, groups);
        foreach (int threads in new[] { 1, 2 })
        {
            using var device = Device.Cpu(threads);
            using OnnxSession session = model.Compile(device);
            foreach (int size in new[] { 24, 17, 24 })
            {
                OnnxTensor x = Build.Random(7, 1, channels, size, size);
                float[] got = Only(session.Run(Input(x))).Floats(), wanted = Only(model.Evaluate(Input(x))).Floats();
                Assert.That(got, Is.EqualTo(wanted).Within(1e-5 * wanted.Max(Math.Abs)), $"{size}");
            }

            long bytes = (long)filters * channels / groups * kernel * kernel * sizeof(float);
            Assert.That(session.Constants.Count, Is.EqualTo(1), "recordings share it");
            Assert.That(session.Constants.LoadedBytes, Is.EqualTo(isPlain ? bytes : 0));
        }
    }

    /// <summary>One row reads the matrix as it is; several read panels, and the first run of either must find its own.</summary>
    [TestCase(false, 1, 5)]
    [TestCase(true, 1, 5)]
    [TestCase(false, 5, 1)]
    [TestCase(true, 5, 1)]
    public void A_matrix_serves_rows_and_batches_in_any_order(bool turned, params int[] rows)
    {
        using OnnxModel model = Product(turned, inputs: 100, outputs: 130);
        using var device = Device.Cpu(2);
        using OnnxSession session = model.Compile(device);
        foreach (int count in rows.Concat(rows))
        {
            OnnxTensor x = Build.Random(8, count, 100);
            float[] got = Only(session.Run(Input(x))).Floats(), wanted = Only(model.Evaluate(Input(x))).Floats();
            Assert.That(got, Is.EqualTo(wanted).Within(1e-5 * wanted.Max(Math.Abs)));
        }

        Assert.That(session.Constants.Count, Is.EqualTo(1));
    }

    /// <summary>A weight that another node reads too is there for that node, whichever runs first.</summary>
    [Test]
    public void A_weight_that_is_also_a_value_is_there_for_both()
    {
        using OnnxModel model = Build.Model(
                17, Build.Node("MatMul", "x w", "y"), Build.Node("Add", "w z", "sum"))
            .With(["x", "z"], ["y", "sum"]).With(Build.Tensor("w", Build.Random(5, 100, 130).Floats(), 100, 130)).Load();
        using var device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = Build.Random(1, 6, 100), ["z"] = Build.Random(2, 100, 130) };
        IReadOnlyList<OnnxValue?> got = session.Run(inputs), wanted = model.Evaluate(inputs);
        for (int i = 0; i < 2; i++)
        {
            Assert.That(((OnnxTensor)got[i]!).Floats(), Is.EqualTo(((OnnxTensor)wanted[i]!).Floats()).Within(1e-4));
        }
    }

    /// <summary>What is handed out does not need the file any more.</summary>
    [Test]
    public void Outputs_that_are_initializers_outlive_the_model()
    {
        string path = Path.Combine(Path.GetTempPath(), $"fastnn-{Guid.NewGuid():N}.onnx");
        try
        {
            float[] values = Build.Random(5, 3000).Floats();
            ModelDef file = Build.Model(17, Build.Node("Identity", "w", "y"), Build.Node("SequenceConstruct", "w", "all"))
                .With([], ["y", "all"]).With(Build.Tensor("w", values, 3000));
            File.WriteAllBytes(path, ModelWriter.Write(file).ToArray());
            IReadOnlyList<OnnxValue?> outputs;
            using (OnnxModel model = OnnxModel.Load(path))
            {
                outputs = model.Evaluate(new Dictionary<string, OnnxValue>());
            }

            Assert.That(((OnnxTensor)outputs[0]!).Floats(), Is.EqualTo(values));
            Assert.That(((OnnxTensor)((OnnxSequence)outputs[1]!).Items[0]).Floats(), Is.EqualTo(values));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static OnnxTensor Only(IReadOnlyList<OnnxValue?> outputs) => (OnnxTensor)outputs[0]!;

    private static Dictionary<string, OnnxValue> Input(OnnxTensor x) => new() { ["x"] = x };
}
