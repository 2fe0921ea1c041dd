using FastNN.Formats;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FastNN.Peers.Guide;

/// <summary>TorchSharp's side of docs/guides/from-torchsharp.md: trains there, and takes the weights to FastNN.</summary>
internal static class CircleGuide
{
    public static int Run()
    {
        _ = torch.random.manual_seed(1);
        using Tensor points = (torch.rand(200, 2) * 2) - 1;
        using Tensor labels = (points.pow(2).sum(1) > 0.6).to(torch.int64);
        string path = Path.GetTempFileName();
        float[] theirs = Train(points, labels, path);

        using FastNN.Device device = FastNN.Device.Cpu(1);
        var model = new FastNN.Sequential(
            new Dense(16, Activation.Tanh) { Name = "hidden" },
            new Dense(2) { Name = "output" });
        model.Build([2]);
        Console.WriteLine(model.LoadWeights(path));
        File.Delete(path);
        using Predictor predictor = model.CreatePredictor(device);
        float[] ours = predictor.Predict(points.data<float>().ToArray());
        Console.WriteLine($"largest difference {ours.Zip(theirs, (a, b) => Math.Abs(a - b)).Max():E1}");
        return 0;
    }

    private static float[] Train(Tensor points, Tensor labels, string path)
    {
        using var model = Sequential(
            ("hidden", Linear(2, 16)), ("tanh", Tanh()), ("output", Linear(16, 2)));
        using var optimizer = torch.optim.Adam(model.parameters(), lr: 0.02);
        using var loss = CrossEntropyLoss();

        model.train();
        for (int epoch = 0; epoch < 40; epoch++)
        {
            for (int at = 0; at < 200; at += 20)
            {
                using DisposeScope scope = torch.NewDisposeScope();
                optimizer.zero_grad();
                Tensor error = loss.forward(model.forward(points[at..(at + 20)]), labels[at..(at + 20)]);
                error.backward();
                optimizer.step();
            }
        }

        model.eval();
        var writer = new SafetensorsWriter();
        foreach ((string name, Tensor tensor) in model.state_dict())
        {
            int[] shape = [.. tensor.shape.Select(extent => (int)extent)];
            writer.Add(name, shape, tensor.contiguous().data<float>().ToArray());
        }

        writer.Save(path);
        using var inference = torch.no_grad();
        using Tensor answers = model.forward(points);
        return answers.data<float>().ToArray();
    }
}
