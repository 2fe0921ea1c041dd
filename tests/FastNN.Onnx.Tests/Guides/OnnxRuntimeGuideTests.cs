using FastNN.Testing;
using Microsoft.ML.OnnxRuntime;

namespace FastNN.Onnx.Tests.Guides;

/// <summary>The code of docs/guides/from-onnx-runtime.md, ONNX Runtime's and FastNN's, as the page shows it: both give the same
/// answers.</summary>
internal sealed class OnnxRuntimeGuideTests : FolderFixture
{
    private static readonly float[] Image = [.. Enumerable.Range(0, 2 * 3 * 8 * 8).Select(i => MathF.Sin(i * 0.7f))];

    [Test]
    public void A_file_gives_the_same_answers()
    {
        string path = Export();
        float[] theirs = RunTheirs(path, Image), ours = RunOurs(path, Image);
        Assert.That(ours, Has.Length.EqualTo(2 * 5).And.EqualTo(theirs).Within(1e-5f));
        Assert.That(RunIntoOwnMemory(path, Image), Is.EqualTo(ours));
    }

    private static float[] RunTheirs(string path, float[] image)
    {
        using var options = new Microsoft.ML.OnnxRuntime.SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(path, options);
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(image, [2, 3, 8, 8]);
        var inputs = new Dictionary<string, OrtValue> { [session.InputNames[0]] = input };
        using var run = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, inputs, session.OutputNames);
        float[] scores = outputs[0].GetTensorDataAsSpan<float>().ToArray();
        return scores;
    }

    private static float[] RunOurs(string path, float[] image)
    {
        using Device device = Device.Cpu(threads: 1);
        using OnnxModel model = OnnxModel.Load(path);
        using OnnxSession session = model.Compile(device);
        var inputs = new Dictionary<string, OnnxValue>
        {
            [model.Inputs[0].Name] = OnnxTensor.Create(image, 2, 3, 8, 8),      // [N, C, H, W], as the file has it
        };
        float[] scores = ((OnnxTensor)session.Run(inputs)[0]!).Values<float>().ToArray();
        return scores;
    }

    private static float[] RunIntoOwnMemory(string path, float[] image)
    {
        using Device device = Device.Cpu(threads: 1);
        using OnnxModel model = OnnxModel.Load(path);
        using OnnxSession session = model.Compile(device);
        OnnxTensor[] inputs = [OnnxTensor.Create(image, 2, 3, 8, 8)];
        OnnxTensor[] outputs = session.CreateOutputs(inputs);   // once for each set of shapes
        session.Run(inputs, outputs);                           // reads and writes the arrays, allocates nothing
        return outputs[0].Values<float>().ToArray();
    }

    private string Export()
    {
        var network = new Sequential(
            new Conv2D(4, 3, Activation.ReLU), new MaxPool2D(2), new Flatten(), new Dense(5), new Softmax());
        network.Build([8, 8, 3], seed: 1);
        network.ExportOnnx(At("digits.onnx"));
        return At("digits.onnx");
    }
}
