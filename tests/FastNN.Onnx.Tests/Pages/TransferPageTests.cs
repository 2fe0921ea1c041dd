using FastNN;
using FastNN.Data;
using FastNN.Onnx;

namespace Pages;

/// <summary>The code of docs/onnx-transfer.md, run as it stands there.</summary>
[NonParallelizable]
public sealed class TransferPageTests
{
    private string _before = "", _folder = "";

    [SetUp]
    public void Enter()
    {
        _before = Directory.GetCurrentDirectory();
        _folder = Directory.CreateTempSubdirectory("fastnn-page").FullName;
        Directory.SetCurrentDirectory(_folder);
    }

    [TearDown]
    public void Leave()
    {
        Directory.SetCurrentDirectory(_before);
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public void A_file_is_tuned_and_written_again()
    {
        var made = new Sequential(new Conv2D(4, 3, Activation.ReLU), new Flatten(), new Dense(3));
        made.Build(new Shape(6, 6, 1), seed: 5);
        made.ExportOnnx("features.onnx");
        var random = new Random(1);
        float[] pixels = [.. Enumerable.Range(0, 60 * 36).Select(_ => random.NextSingle())];
        Dataset examples = Dataset.FromFloats(pixels, [6, 6, 1], [.. Enumerable.Range(0, 60).Select(i => i % 3)], 3);
        Tune(examples);
        using OnnxModel first = OnnxModel.Load("features.onnx"), last = OnnxModel.Load("tuned.onnx");
        OnnxTensor x = OnnxTensor.Create(pixels[..36], 1, 1, 6, 6);
        var inputs = new Dictionary<string, OnnxValue> { [first.Inputs[0].Name] = x };
        float[] before = ((OnnxTensor)first.Evaluate(inputs)[0]!).Values<float>().ToArray();
        float[] after = ((OnnxTensor)last.Evaluate(inputs)[0]!).Values<float>().ToArray();
        Assert.That(after, Is.Not.EqualTo(before), "the head was trained");
        using var device = Device.Cpu();
        using Session session = Model.Load("tuned.safetensors").CreateSession(device);
        var got = new float[3];
        session.Run(pixels.AsSpan(0, 36), got);
        Assert.That(got, Is.EqualTo(after).Within(1e-5));
    }

    private static void Tune(Dataset examples)
    {
        using var device = Device.Cpu();
        using OnnxModel file = OnnxModel.Load("features.onnx");
        Model model = file.ToModel();                       // parameters are named as in the file

        foreach (NamedParameter named in model.NamedParameters)
        {
            named.Parameter.IsTrainable = named.Name.StartsWith("2.");   // the last layer
        }

        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(1e-3f));
        trainer.Fit(examples, epochs: 20, batchSize: 10);   // images are [N, H, W, C], as everywhere in the library
        model.Save("tuned.safetensors");                    // Model.Load needs no ONNX file
        model.ExportOnnx("tuned.onnx");                     // images are [N, C, H, W] again, names as before
    }
}
